//! Ingredient lines: what a line of free text says, which food it means, what that weighs and contains.
