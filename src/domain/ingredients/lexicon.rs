//! The words that say something about a food without being its name.

use super::words::{fold, singular};
use crate::domain::foods::Aisle;
use std::collections::HashSet;
use std::sync::LazyLock;

/// How a food is cut or cooked: dropping it never changes which food is meant.
const PREPARED: &str = "chopped diced minced sliced grated shredded crushed cubed halved quartered peeled cored \
    seeded deseeded pitted trimmed rinsed drained washed cleaned mashed pureed julienned crumbled beaten melted \
    softened thawed defrosted divided sifted packed torn squeezed pressed scrubbed husked shelled deveined zested \
    juiced bruised cut removed separated whisked whipped toasted roasted scalded chilled cooled warmed heated \
    spiralized segmented slivered flaked discarded \
    reserved finely roughly coarsely thinly thickly lightly freshly loosely firmly well very diagonally lengthwise \
    crosswise snipped scored rolled-out stemmed hulled broken hard-boiled soft-boiled hardboiled diluted undiluted \
    dissolved cracked shaved dry-roasted strained smashed unpacked";

/// Drops with a light heart, except where it triples the weight.
const COOKED: &str = "cooked precooked pre-cooked boiled";

/// Size, state and praise: dropping it never changes which food is meant either.
const LOOKS: &str = "fresh large medium small big little tiny giant jumbo extra-large sized size organic \
    boneless skinless bone-in skin-on bone skin good quality best ripe overripe firm soft tender young \
    new old cold warm lukewarm tepid boiling ice-cold room temperature thick thin whole raw natural real \
    favorite favourite your choice other any some few more extra additional optional regular ordinary standard \
    homemade store-bought storebought premium local nice round each clean prepared thing kind type style brand fine \
    coarse generous heaped level heaping bite bitesize edible stemless uncut unpeeled skinned unwaxed stale \
    deli tailless pre headless peel-on";

/// Parts and containers, which the amount has named already.
const PARTS: &str = "piece chunk wedge slice strip half sprig stalk bunch floret ring fillet filet handful \
    pinch dash knob segment block pack packet package can tin jar bag box bottle container \
    spear stem strand pod meat ";

/// Describe the food so closely that leaving them out costs confidence, but the food stays the same.
const SHADES: &str = "frozen unsalted salted lean virgin pure low sodium reduced light lite sweetened unsweetened \
    unflavored semi jarred mild strong mature aged sharp unbleached enriched bleached refined \
    unrefined distilled salt-free neutral plain nonfat lowfat gluten pasteurized creamy smooth crunchy seedless \
    granulated american italian english french spanish mexican hungarian swedish thai indian chinese japanese korean \
    turkish portuguese german swiss dutch holland danish persian lebanese hass roma vine beefsteak campari san \
    marzano kalamata kalamon yukon russet maris piper waxy floury mealy vidalia granny smith gala fuji cavendish \
    curly arborio carnaroli basmati jasmine elbow non uht active instant quick solid farmed atlantic \
    pacific flavored light-colored ground-up hearty pre-shelled long-grain flat-leaf shortcut ";

/// Colours and other words that belong to one food and make another of a different one.
const COLOURED: &[(&str, &str)] = &[
    ("onion", "red yellow white brown sweet"),
    ("potato", "yellow white red gold new brown"),
    ("cabbage", "green white pointed"),
    ("pepper", "black white"),
    ("bell", "red green yellow orange sweet long mixed"),
    ("apple", "red green"),
    ("lentil", "red green brown yellow dried dry puy split"),
    ("tomato", "red plum cherry grape yellow"),
    ("chili", "red green dried"),
    ("mushroom", "white brown button cremini crimini chestnut portobello dried"),
    ("flour", "white plain"),
    ("sugar", "white caster superfine"),
    ("rice", "white long grain short"),
    ("egg", "brown white free range hard soft"),
    ("bread", "white crusty"),
    ("grape", "red green white black"),
    ("olive", "green black mixed"),
    ("cheddar", "white yellow"),
    ("vinegar", "white"),
    ("cream", "liquid dairy full fat heavy"),
    ("milk", "full fat hot"),
    ("yogurt", "full fat thick set"),
    ("lettuce", "green"),
    ("asparagus", "green white"),
    ("plum", "red"),
    ("chocolate", "good"),
    ("beet", "red"),
    ("ginger", "root"),
    ("salt", "white himalayan sea table kosher iodized flake flaky"),
    ("bean", "dried dry canned tinned cooked"),
    ("chickpea", "dried dry canned tinned"),
    ("pea", "dried dry green garden petit"),
    ("pasta", "dried dry short long"),
    ("spaghetti", "dried dry long"),
    ("noodle", "dried dry broad wide"),
    ("yeast", "dried dry baking"),
    ("oat", "rolled large flake steel cut"),
    ("crumb", "dried dry panko"),
    ("corn", "sweet yellow kernel"),
    ("tuna", "canned tinned"),
    ("cracker", "salted"),
    ("raisin", "dried golden"),
    ("yolk", "hard"),
    ("cucumber", "short long english"),
    ("eggplant", "long elongated baby"),
    ("sauce", "dark hot"),
    ("veal", "ground"),
    ("salmon", "wild"),
    ("spinach", "baby"),
    ("kale", "baby curly"),
    ("carrot", "baby"),
    ("arugula", "baby wild"),
    ("leek", "baby"),
    ("water", "hot"),
    ("broth", "hot"),
    ("stock", "hot"),
    ("coffee", "hot black"),
    ("chicken", "free range"),
    ("celery", "rib"),
];

/// Class nouns that may stand behind the names of their kinds, or be left out there.
const CLASSES: &[(&str, &str)] = &[
    (
        "cheese",
        "parmesan mozzarella cheddar feta ricotta gruyere brie gouda pecorino halloumi mascarpone emmental provolone \
        asiago romano reggiano camembert edam paneer gorgonzola stilton monterey jack swiss parmigiano",
    ),
    ("mushroom", "cremini crimini shiitake portobello champignon chanterelle porcini"),
    ("lettuce", "romaine iceberg"),
    (
        "pasta",
        "penne fusilli spaghetti macaroni linguine fettuccine rigatoni farfalle orzo tagliatelle lasagna",
    ),
    ("noodle", "spaghetti fusilli fettuccine ramen soba udon somen lasagna macaroni linguine"),
    ("sheet", "lasagna nori"),
    ("pepper", "jalapeno serrano cayenne habanero chili"),
    ("chili", "jalapeno serrano"),
    ("bean", "cannellini pinto edamame chickpea garbanzo"),
    ("squash", "butternut acorn"),
    ("sauce", "worcestershire sriracha tabasco hoisin teriyaki tamari"),
    ("powder", "turmeric paprika cumin cinnamon nutmeg cardamom allspice cayenne cocoa fenugreek clove"),
    ("seed", "cumin sesame poppy chia caraway cardamom fenugreek"),
    ("bread", "pita naan ciabatta baguette sourdough focaccia brioche"),
    ("steak", "sirloin ribeye"),
    ("fish", "cod tilapia haddock salmon trout tuna"),
    ("extract", "vanilla"),
    ("essence", "vanilla"),
    ("roll", "brioche"),
    ("weed", "dill"),
    ("wheat", "bulgur"),
    ("nut", "walnut cashew macadamia pecan pistachio hazelnut"),
    ("kernel", "corn"),
    ("grain", "rice quinoa"),
    ("reggiano", "parmesan parmigiano"),
    ("romano", "pecorino"),
    ("root", "ginger"),
    ("salad", "arugula"),
    ("clove", "garlic"),
    ("glove", "garlic"),
    ("pearl", "garlic"),
    ("head", "garlic lettuce cabbage broccoli cauliflower romaine"),
    ("bulb", "garlic fennel"),
    (
        "leaf",
        "basil mint parsley cilantro coriander sage oregano thyme lettuce spinach kale fenugreek bay cabbage rosemary \
        tarragon dill arugula chard celery",
    ),
    ("stick", "cinnamon celery butter carrot"),
    ("cube", "bacon paneer sugar ice chicken beef lamb pork ham tofu"),
    ("rib", "celery"),
];

type Words = LazyLock<HashSet<&'static str>>;

static WEAK: Words =
    LazyLock::new(|| [PREPARED, LOOKS, PARTS].iter().flat_map(|list| list.split(' ')).collect());
static DESCRIBING: Words =
    LazyLock::new(|| [PREPARED, LOOKS, SHADES].iter().flat_map(|list| list.split(' ')).collect());
static SHADED: Words = LazyLock::new(|| SHADES.split(' ').collect());
static PREPARATION: Words =
    LazyLock::new(|| PREPARED.split(' ').chain(COOKED.split(' ')).chain(["split", "uncooked"]).collect());

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == word)
}

/// A word that says how something is cut or cooked (`sliced`, `finely`), in any spelling.
pub(super) fn is_preparation(word: &str) -> bool {
    let plain = word.to_lowercase();
    PREPARATION.contains(plain.trim_matches(|c: char| !c.is_alphanumeric()))
}

/// Whether there is no food in a text, only a description.
pub(super) fn only_describes(text: &str) -> bool {
    let mut words = text.split_whitespace().peekable();
    words.peek().is_some()
        && words.all(|word| {
            let lower = word.to_lowercase();
            let plain = singular(fold(&lower).trim());
            [lower.as_str(), plain.as_str()].iter().any(|word| DESCRIBING.contains(word) || is_colour(word))
        })
}

fn is_colour(word: &str) -> bool {
    matches!(word, "red" | "green" | "yellow" | "white" | "dried" | "tough" | "and" | "or" | "long" | "short")
}

/// A folded singular word whose absence changes nothing.
pub(super) fn is_weak(word: &str) -> bool {
    WEAK.contains(word)
}

/// A word that only shades the meaning, so that it cannot be the noun of a phrase.
pub(super) fn is_shade(word: &str) -> bool {
    is_weak(word)
        || SHADED.contains(word)
        || COOKED.split(' ').any(|cooked| cooked == word)
        || matches!(word, "dried" | "dry" | "ground" | "canned" | "tinned" | "uncooked")
        || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What leaving a word out before a food costs in thousandths of confidence; `None` when it makes another food.
pub(super) fn cost_of_dropping(word: &str, head: &str, aisle: Aisle) -> Option<u16> {
    if is_weak(word) || word == "uncooked" {
        return Some(5);
    }
    if COOKED.split(' ').any(|cooked| cooked == word) {
        return (aisle != Aisle::PastaAndGrains).then_some(15);
    }
    if COLOURED.iter().any(|(food, shades)| *food == head && is_in(shades, word)) {
        return Some(30);
    }
    let of_spice = matches!(word, "dried" | "dry" | "ground" | "powder" | "powdered")
        || matches!(word, "sweet" | "hot") && head != "pepper";
    if aisle == Aisle::Spices && of_spice {
        return Some(30);
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(40);
    }
    SHADED.contains(word).then_some(60)
}

/// Whether `class` says nothing more beside `kind`, as `cheese` beside `cheddar`.
pub(super) fn is_class_of(class: &str, kind: &str) -> bool {
    CLASSES.iter().any(|(noun, kinds)| *noun == class && is_in(kinds, kind))
}

/// Whether in `chicken or beef stock` the first word shares the noun of the second.
pub(super) fn shares_noun(first: &str, noun: &str) -> bool {
    const NOUNS: &str = "stock broth sauce bean beans wine rice onion onions pepper peppers vinegar bouillon tea sugar \
        flour cheese oil breast breasts thigh thighs chili chilies chile chiles lentils paprika olives cabbage \
        mustard potatoes noodles bread milk mushrooms apples grapes juice herbs zest mince chop chops";
    const KINDS: &str = "chicken beef vegetable veggie veg fish mushroom red white black green brown yellow pinto \
        kidney button lemon lime orange corn canola sunflower olive peanut dark light turkey pork rye wheat jalapeno \
        serrano rice cider jasmine basmati almond oat soy swiss dried kalamon";
    let first = fold(first);
    let noun = fold(noun);
    is_in(NOUNS, noun.trim()) && first.split_whitespace().last().is_some_and(|kind| is_in(KINDS, kind))
}
