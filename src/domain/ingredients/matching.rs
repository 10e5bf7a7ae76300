//! Finds the food a phrase means, or honestly none.

use super::lexicon::{cost_of_dropping, is_class_of, is_shade, is_weak};
use super::similarity::distance;
use super::words::words;
use crate::domain::foods::Food;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Thousandths of confidence below which a phrase has no food.
pub const MIN_CONFIDENCE: u16 = 650;

/// Words of a phrase that are looked at.
const MOST_WORDS: usize = 16;

/// A food for a phrase; `confidence` is per mille, 1000 for its very name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoodMatch {
    pub food: Arc<Food>,
    pub confidence: u16,
}

/// Foods by the words of their names and aliases.
#[derive(Clone, Debug, Default)]
pub struct FoodIndex {
    forms: Vec<Form>,
    exact: HashMap<String, usize>,
    by_word: HashMap<String, Vec<usize>>,
    /// All words by their first letter, for typing errors.
    by_letter: BTreeMap<char, BTreeSet<String>>,
}

/// One name of a food.
#[derive(Clone, Debug)]
struct Form {
    food: Arc<Food>,
    words: Vec<String>,
    is_name: bool,
}

/// The words of a phrase, as far as they say which food is meant.
struct Wanted {
    words: Vec<String>,
    typing_errors: u16,
}

impl FoodIndex {
    /// An index of these foods. Where two share a name, a name goes before an alias and the smaller id first.
    pub fn new(foods: impl IntoIterator<Item = Arc<Food>>) -> Self {
        let mut index = Self::default();
        for food in foods {
            let aliases = food.aliases.iter().map(|alias| (alias, false));
            let forms: Vec<Form> = std::iter::once((&food.name, true))
                .chain(aliases)
                .map(|(text, is_name)| Form { food: Arc::clone(&food), words: words(text), is_name })
                .filter(|form| !form.words.is_empty())
                .collect();
            index.forms.extend(forms);
        }
        index.forms.sort_by(|a, b| (!a.is_name, &a.food.id).cmp(&(!b.is_name, &b.food.id)));
        for (at, form) in index.forms.iter().enumerate() {
            index.exact.entry(form.words.join(" ")).or_insert(at);
            for word in form.words.iter().collect::<BTreeSet<_>>() {
                index.by_word.entry(word.clone()).or_default().push(at);
                if let Some(letter) = word.chars().next() {
                    index.by_letter.entry(letter).or_default().insert(word.clone());
                }
            }
        }
        index
    }

    /// The food this phrase means, when there is one with at least [`MIN_CONFIDENCE`].
    #[must_use]
    pub fn best(&self, phrase: &str) -> Option<FoodMatch> {
        let all = limited(phrase);
        if let Some(found) = self.exactly(&all, 1000) {
            return Some(found);
        }
        if let Some(found) = self.salt_and_pepper(&all) {
            return Some(found);
        }
        let wanted = self.without_typing_errors(all);
        let trusted = |confidence: u16| confidence.saturating_sub(wanted.typing_errors);
        let strong: Vec<String> = wanted.words.iter().filter(|word| !is_weak(word)).cloned().collect();
        let by_name =
            self.exactly(&wanted.words, trusted(980)).or_else(|| self.exactly(&strong, trusted(980)));
        if by_name.is_some() {
            return by_name.filter(|found| found.confidence >= MIN_CONFIDENCE);
        }
        let words = if strong.is_empty() { wanted.words } else { strong };
        let wanted = Wanted { words, ..wanted };
        self.scored(&wanted).into_iter().next()
    }

    /// Up to `n` foods for a phrase to choose from, the best first, with any confidence above zero.
    #[must_use]
    pub fn candidates(&self, phrase: &str, n: usize) -> Vec<FoodMatch> {
        let wanted = self.without_typing_errors(limited(phrase));
        let mut found: Vec<FoodMatch> = self.best(phrase).into_iter().chain(self.scored(&wanted)).collect();
        let mut sharing: Vec<FoodMatch> = Vec::new();
        for at in self.sharing_a_word(&wanted.words) {
            if let Some(form) = self.forms.get(at) {
                sharing.push(FoodMatch {
                    food: Arc::clone(&form.food),
                    confidence: overlap(form, &wanted.words),
                });
            }
        }
        sort(&mut sharing);
        found.extend(sharing);
        let mut seen = BTreeSet::new();
        found.retain(|candidate| seen.insert(candidate.food.id.clone()));
        found.truncate(n);
        found
    }

    fn exactly(&self, words: &[String], confidence: u16) -> Option<FoodMatch> {
        let form = self.forms.get(*self.exact.get(&words.join(" "))?)?;
        Some(FoodMatch { food: Arc::clone(&form.food), confidence })
    }

    /// `salt and pepper` counts as salt: neither weighs or contains anything that matters.
    fn salt_and_pepper(&self, words: &[String]) -> Option<FoodMatch> {
        let (last, before) = words.split_last()?;
        let only_these =
            before.iter().all(|word| is_shade(word) || matches!(word.as_str(), "salt" | "black" | "white"));
        let salt = before.iter().any(|word| word == "salt");
        if last == "pepper" && salt && only_these { self.exactly(&["salt".to_owned()], 900) } else { None }
    }

    fn sharing_a_word(&self, words: &[String]) -> BTreeSet<usize> {
        words.iter().filter_map(|word| self.by_word.get(word)).flatten().copied().collect()
    }

    fn scored(&self, wanted: &Wanted) -> Vec<FoodMatch> {
        let heads = heads(&wanted.words);
        let mut found: Vec<FoodMatch> = self
            .sharing_a_word(&heads)
            .into_iter()
            .filter_map(|at| self.forms.get(at))
            .filter_map(|form| {
                let cost = cost(form, &wanted.words)?.saturating_add(wanted.typing_errors + 25);
                let confidence = 1000_u16.checked_sub(cost).filter(|&left| left >= MIN_CONFIDENCE)?;
                Some(FoodMatch { food: Arc::clone(&form.food), confidence })
            })
            .collect();
        sort(&mut found);
        found
    }

    fn without_typing_errors(&self, words: Vec<String>) -> Wanted {
        let mut typing_errors = 0;
        let corrected = words.into_iter().map(|word| match self.correction(&word) {
            Some((right, errors)) => {
                typing_errors += errors * 90;
                right.to_owned()
            }
            None => word,
        });
        Wanted { words: corrected.collect(), typing_errors }
    }

    /// The only near word for one that no food has.
    fn correction(&self, word: &str) -> Option<(&str, u16)> {
        const RIGHT_ANYWAY: &[&str] =
            &["batter", "bitter", "bitters", "better", "custard", "walnut", "smoothie"];
        let most = match word.len() {
            0..=5 => return None,
            6..=8 => 1,
            _ => 2,
        };
        if self.by_word.contains_key(word) || is_shade(word) || RIGHT_ANYWAY.contains(&word) {
            return None;
        }
        let near = self.by_letter.get(&word.chars().next()?)?;
        let close = near.iter().filter(|known| known.len() >= 5);
        let (errors, right) = close.filter_map(|known| Some((distance(word, known, most)?, known))).min()?;
        Some((right, u16::try_from(errors).ok()?))
    }
}

fn limited(phrase: &str) -> Vec<String> {
    let mut all = words(phrase.get(..200).unwrap_or(phrase));
    all.truncate(MOST_WORDS);
    all
}

fn sort(found: &mut [FoodMatch]) {
    found.sort_by(|a, b| {
        (Reverse(a.confidence), a.food.name.len(), &a.food.id).cmp(&(
            Reverse(b.confidence),
            b.food.name.len(),
            &b.food.id,
        ))
    });
}

/// The noun of a phrase: the last word that does not merely shade.
fn head(words: &[String]) -> Option<&String> {
    words.iter().rfind(|word| !is_shade(word)).or(words.last())
}

/// The noun, and before a class noun also the kind (`cheddar` in `cheddar cheese`).
fn heads(words: &[String]) -> Vec<String> {
    let Some(noun) = head(words) else { return Vec::new() };
    let kinds = words.iter().filter(|kind| is_class_of(noun, kind));
    std::iter::once(noun).chain(kinds).cloned().collect()
}

/// What it costs to take a phrase for this name of a food; `None` when it is another food.
fn cost(form: &Form, wanted: &[String]) -> Option<u16> {
    let (noun, own_noun) = (head(wanted)?, head(&form.words)?);
    let swapped = noun != own_noun && wanted.contains(own_noun) && form.words.contains(noun);
    let same_noun = wanted.contains(own_noun) || form.words.contains(noun);
    if swapped || !(same_noun || is_class_beside(own_noun, wanted) || is_class_beside(noun, &form.words)) {
        return None;
    }
    Some(
        cost_of_left_over(form, wanted, noun, own_noun)?
            .saturating_add(cost_of_left_out(form, wanted, noun, own_noun)?),
    )
}

fn is_class_beside(class: &str, words: &[String]) -> bool {
    words.iter().any(|kind| is_class_of(class, kind))
}

/// For the words of the phrase that the name does not have.
fn cost_of_left_over(form: &Form, wanted: &[String], noun: &str, own_noun: &str) -> Option<u16> {
    let is_bell = own_noun == "pepper" && form.words.iter().any(|own| own == "bell");
    let kind = if is_bell { "bell" } else { own_noun };
    wanted.iter().filter(|word| !form.words.contains(word)).try_fold(0_u16, |sum, word| {
        let cost = if is_class_beside(word, &form.words) {
            30
        } else {
            cost_of_dropping(word, kind, form.food.aisle).filter(|_| word != noun || is_shade(word))?
        };
        Some(sum.saturating_add(cost))
    })
}

/// For the words of the name that the phrase does not have. A describing word is there for a reason when an alias
/// has but one other word.
fn cost_of_left_out(form: &Form, wanted: &[String], noun: &str, own_noun: &str) -> Option<u16> {
    let shared = form.words.iter().filter(|word| wanted.contains(word)).count();
    let may_describe = form.is_name || shared > 1;
    form.words.iter().filter(|word| !wanted.contains(word)).try_fold(0_u16, |sum, word| {
        let describing =
            cost_of_dropping(word, noun, form.food.aisle).filter(|_| may_describe && word != own_noun);
        let cost = if is_class_beside(word, wanted) { 30 } else { describing? * 2 + 15 };
        Some(sum.saturating_add(cost))
    })
}

/// How many words are shared, for foods that are only worth showing.
fn overlap(form: &Form, wanted: &[String]) -> u16 {
    let shared = form.words.iter().filter(|word| wanted.contains(word)).count();
    let all = form.words.len() + wanted.len();
    let share = u16::try_from(shared * 2 * 590 / all.max(1)).unwrap_or(0);
    share.min(MIN_CONFIDENCE - 50)
}
