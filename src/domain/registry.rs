//! What every layer is shown of each context, so that a context is registered once.

use super::context::Context;

/// Something that is shown every context with its types.
pub trait Visitor {
    fn context<C: Context>(&mut self);
}
