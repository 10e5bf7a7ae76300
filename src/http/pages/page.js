// Ticks a line of a shopping list off; the box goes back when the server does not take it.
document.addEventListener("change", async (event) => {
  const box = event.target;
  if (!box.dataset.list) return;
  const checked = box.checked;
  try {
    const answer = await fetch(`/api/shopping-lists/${box.dataset.list}/checks`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Prefer: "wait=10" },
      body: JSON.stringify({ line: box.dataset.line, checked }),
    });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    box.closest("li").classList.toggle("done", checked);
  } catch (error) {
    box.checked = !checked;
    alert(error.message);
  }
});
