//! What the contexts declare, as the HTTP layer needs it: endpoints, checks and schemas without their types.

use crate::domain::context::{
    Context, Endpoint, ErasedProjection, Foreign, Projection, ProjectionVisitor, Rejection,
};
use crate::domain::envelope::Key;
use crate::domain::erased;
use crate::domain::message::Message;
use crate::domain::registry::Visitor;
use crate::domain::rehearsal;
use schemars::{Schema, SchemaGenerator};
use std::sync::Arc;

/// A command that has passed every check that needs no state.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Set when the body itself says which aggregate it is for.
    pub key: Option<Key>,
    pub type_name: String,
    pub schema_version: u16,
    /// The canonical body, as it is stored.
    pub body: String,
}

type Check = fn(&str, &str) -> Result<Checked, Rejection>;
type ReadForeign = fn(&str, Foreign, &str) -> Option<Result<Vec<Checked>, Rejection>>;

/// One context without its types.
pub struct ContextApi {
    pub name: &'static str,
    pub endpoints: Vec<Endpoint>,
    pub check: Check,
    pub read_foreign: ReadForeign,
    pub schemas: fn(&mut SchemaGenerator) -> Vec<(&'static str, Schema)>,
}

/// Everything the contexts declare.
#[derive(Default)]
pub struct Api {
    pub contexts: Vec<ContextApi>,
    pub projections: Vec<Arc<dyn ErasedProjection>>,
}

impl Visitor for Api {
    fn context<C: Context>(&mut self) {
        self.contexts.push(ContextApi {
            name: C::NAME,
            endpoints: C::endpoints(),
            check: check::<C>,
            read_foreign: read_foreign::<C>,
            schemas: C::Command::schemas,
        });
        C::projections(self);
    }

    fn projection<P: Projection>(&mut self) {
        erased::show::<P>(self);
    }
}

impl ProjectionVisitor for Api {
    fn erased(&mut self, projection: Arc<dyn ErasedProjection>) {
        self.projections.push(projection);
    }
}

fn check<C: Context>(type_name: &str, body: &str) -> Result<Checked, Rejection> {
    let (schema_version, body) = rehearsal::checked::<C>(type_name, body)?;
    Ok(Checked { key: None, type_name: type_name.to_owned(), schema_version, body })
}

fn checked<C: Context>(command: &C::Command, key: Key) -> Result<Checked, Rejection> {
    C::check(command)?;
    Ok(Checked {
        key: Some(key),
        type_name: command.type_name().to_owned(),
        schema_version: command.schema_version(),
        body: command.encode()?,
    })
}

fn read_foreign<C: Context>(
    type_name: &str,
    format: Foreign,
    body: &str,
) -> Option<Result<Vec<Checked>, Rejection>> {
    let read = C::read_foreign(type_name, format, body)?;
    Some(read.and_then(|given| given.into_iter().map(|(key, command)| checked::<C>(&command, key)).collect()))
}
