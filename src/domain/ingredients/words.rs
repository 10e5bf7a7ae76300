//! Brings words to one spelling: case, accents, hyphens, plurals and the two Englishes.

/// Lower case without accents; what is neither a letter nor a digit becomes a space, apostrophes go.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            '\'' | '’' | '\u{300}'..='\u{36f}' => {}
            _ if c.is_ascii() => out.push(' '),
            _ => match plain(c) {
                Some(letters) => out.push_str(letters),
                None if c.is_alphanumeric() => out.push(c),
                None => out.push(' '),
            },
        }
    }
    out
}

const fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'ř' => "r",
        'š' | 'ś' | 'ş' | 'ș' => "s",
        'ť' | 'ț' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        _ => return None,
    })
}

/// The singular of a folded word, in one spelling for variants that mean the same.
pub(super) fn singular(word: &str) -> String {
    let stem = irregular(word).unwrap_or_else(|| regular(word));
    respelled(&stem).map_or(stem.clone(), str::to_owned)
}

fn irregular(word: &str) -> Option<String> {
    let stem = match word {
        "leaves" => "leaf",
        "loaves" => "loaf",
        "halves" => "half",
        "calves" => "calf",
        "knives" => "knife",
        "chilies" | "chillies" | "chiles" => "chili",
        "cookies" => "cookie",
        "brownies" => "brownie",
        "smoothies" => "smoothie",
        "veggies" => "veggie",
        "pies" => "pie",
        "swiss" | "couscous" | "hummus" | "asparagus" | "molasses" | "citrus" | "bass" | "haggis"
        | "cress" | "watercress" | "octopus" | "schnapps" | "tapas" | "lens" | "jus" | "gas" | "les"
        | "des" => word,
        _ => return None,
    };
    Some(stem.to_owned())
}

fn regular(word: &str) -> String {
    let cut = |ending: &str, with: &str| word.strip_suffix(ending).map(|stem| format!("{stem}{with}"));
    if word.len() <= 3 || word.ends_with("ss") || word.ends_with("us") {
        return word.to_owned();
    }
    cut("ies", "y")
        .or_else(|| cut("shes", "sh"))
        .or_else(|| cut("ches", "ch"))
        .or_else(|| cut("sses", "ss"))
        .or_else(|| cut("xes", "x"))
        .or_else(|| cut("oes", "o"))
        .or_else(|| cut("s", ""))
        .unwrap_or_else(|| word.to_owned())
}

fn respelled(word: &str) -> Option<&'static str> {
    Some(match word {
        "yoghurt" | "yogourt" => "yogurt",
        "chilli" | "chile" | "chilly" => "chili",
        "aubergine" => "eggplant",
        "courgette" => "zucchini",
        "soya" => "soy",
        "tumeric" => "turmeric",
        "capsicum" => "bell pepper",
        "bullion" | "boullion" | "buillon" => "bouillon",
        "uncoocked" => "uncooked",
        "sause" => "sauce",
        "cinammon" | "cinamon" => "cinnamon",
        "brocolli" | "brocoli" | "broccli" => "broccoli",
        "bayleaf" => "bay leaf",
        "breadcrumb" => "bread crumb",
        "doughnut" => "donut",
        "omelette" => "omelet",
        "fibre" => "fiber",
        "sulphate" => "sulfate",
        "gramme" => "gram",
        "flavour" => "flavor",
        "flavoured" => "flavored",
        "grey" => "gray",
        "catsup" => "ketchup",
        "wholemeal" | "wholewheat" => "whole wheat",
        "parmigiano" | "parmesean" => "parmesan",
        "sweetcorn" => "sweet corn",
        "passata" => "tomato passata",
        "allpurpose" => "all purpose",
        "beetroot" => "beet",
        "linseed" => "flaxseed",
        "prawn" => "shrimp",
        "origano" | "origan" => "oregano",
        _ => return None,
    })
}

/// The words of a text in one spelling, in order; little words (`of`, `the`, `and`) are left out.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut found: Vec<String> = Vec::new();
    for word in folded.split_whitespace() {
        if matches!(word, "of" | "the" | "a" | "an" | "and" | "with" | "in" | "de" | "s") {
            continue;
        }
        for part in singular(word).split(' ') {
            let repeated = found.last().is_some_and(|last| last == part)
                || part == "tomato" && found.iter().any(|w| w == part);
            if !repeated {
                found.push(part.to_owned());
            }
        }
    }
    ground_meat(&mut found);
    found
}

/// Minced beef and beef mince are ground beef.
fn ground_meat(words: &mut [String]) {
    const MEATS: &[&str] = &["beef", "pork", "lamb", "turkey", "chicken", "veal", "meat", "venison"];
    let is_meat = |word: &String| MEATS.contains(&word.as_str());
    if words.iter().any(is_meat)
        && let Some(at) = words.iter().position(|word| word == "mince" || word == "minced")
        && let Some(part) = words.get_mut(..=at)
    {
        if let Some(last) = part.last_mut() {
            "ground".clone_into(last);
        }
        part.rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_plurals_accents_and_variants() {
        for (text, expected) in [
            ("Tomatoes", "tomato"),
            ("Crème fraîche", "creme fraiche"),
            ("Bay Leaves", "bay leaf"),
            ("olives", "olive"),
            ("Cherries", "cherry"),
            ("green chillies", "green chili"),
            ("all-purpose flour", "all purpose flour"),
            ("minced beef", "ground beef"),
            ("beef mince", "ground beef"),
            ("minced garlic", "minced garlic"),
            ("radishes", "radish"),
            ("brewer's yeast", "brewer yeast"),
            ("cream of tartar", "cream tartar"),
            ("Brussels sprouts", "brussel sprout"),
            ("peas", "pea"),
            ("couscous", "couscous"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }
}
