//! The words by which meals and dishes are recognised.

use super::Kind;

/// Kinds with their phrases in the singular, between commas.
pub(super) type Table = &'static [(Kind, &'static str)];

/// Words for meals and courses.
pub(super) const MEALS: Table = &[
    (Kind::Breakfast, "breakfast, frühstück, petit déjeuner, desayuno, colazione, ontbijt"),
    (Kind::Brunch, "brunch"),
    (Kind::Dinner, "dinner, supper, abendessen, dîner, cena, avondeten"),
    (Kind::Lunch, "lunch, luncheon, lunchbox, mittagessen, déjeuner, almuerzo, pranzo"),
    (
        Kind::Main,
        "main, main course, main dish, entree, hauptgericht, hauptspeise, \
         plat principal, plat, secondo, primo, weeknight",
    ),
    (
        Kind::Snack,
        "snack, dessert, appetizer, appetiser, starter, side, side dish, drink, beverage, cocktail, \
         nachspeise, nachtisch, vorspeise, beilage, getränk, postre, entrée, apéritif, antipasto, \
         hors d oeuvre, finger food, tapas, amuse bouche",
    ),
];

/// Words for dishes.
pub(super) const DISHES: Table = &[
    (
        Kind::Breakfast,
        "pancake, waffle, porridge, oatmeal, overnight oat, granola, muesli, french toast, omelette, \
         omelet, scrambled egg, frittata, shakshuka, cereal, crepe, egg benedict, hash brown",
    ),
    (Kind::Lunch, "sandwich, wrap, toastie, panini, bagel"),
    (
        Kind::Main,
        "sweet potato, bake, traybake, tortilla, rice, bean, fish and chip, mac and cheese, hot dog, cabbage roll, dumpling, pierogi, soup, salad, stew, curry, pasta, spaghetti, lasagna, lasagne, macaroni, risotto, pizza, burger, \
         hamburger, taco, burrito, enchilada, quesadilla, fajita, chili, chilli, casserole, roast, stir \
         fry, noodle, ramen, gnocchi, ravioli, carbonara, bolognese, quiche, goulash, paella, meatball, \
         meatloaf, schnitzel, steak, chicken, beef, pork, lamb, turkey, fish, salmon, tuna, shrimp, \
         seafood, tofu, dal, dahl, chowder, bisque, biryani, fried rice, pilaf, jambalaya, gumbo, fish \
         cake, crab cake, shepherd pie, pot pie, cottage pie, meat pie, kebab, sushi, poke, bowl, meat, \
         poultry, ragout, ragu, suppe, salat, eintopf, auflauf, soupe, salade, sopa, ensalada, zuppa, \
         potato salad, fruit soup, gratin, moussaka, stroganoff",
    ),
    (
        Kind::Snack,
        "sweet, treat, rice pudding, spring roll, cake, cupcake, cheesecake, cookie, biscuit, brownie, muffin, pie, tart, crumble, cobbler, \
         pudding, ice cream, sorbet, fudge, candy, chocolate, pastry, donut, doughnut, scone, mousse, \
         tiramisu, custard, trifle, fruit salad, dip, hummus, guacamole, salsa, chip, fry, french fry, \
         popcorn, cracker, nut, energy ball, smoothie, milkshake, lemonade, juice, tea, coffee, kuchen, \
         gâteau, flapjack, shortbread, macaroon, granola bar, rice cake, bread, roll, bun, focaccia, \
         garlic bread, banana bread, liqueur, punch, strudel",
    ),
    (
        Kind::Component,
        "sauce, spice, garam masala, spice blend, filling, condiment, basic, soße, dressing, vinaigrette, mayonnaise, ketchup, mustard, pesto, \
         gravy, broth, stock, bouillon, marinade, rub, seasoning, spice mix, curry powder, curry paste, \
         jam, marmalade, chutney, syrup, frosting, icing, dough, pastry dough, pizza dough, pie crust, \
         butter, ghee, pickle, relish, caramel sauce, sourdough starter, powder",
    ),
];
