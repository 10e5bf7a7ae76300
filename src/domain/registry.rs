//! What every layer is shown of each context, so that a context is registered once.

use super::context::{Context, Projection};

/// Something that is shown every context with its types.
pub trait Visitor {
    fn context<C: Context>(&mut self);
    /// A read model that belongs to no context. Nothing to whoever looks at contexts only.
    fn projection<P: Projection>(&mut self) {}
}
