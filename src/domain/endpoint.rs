//! Commands that can be given over HTTP, as data.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Post,
    Put,
    Delete,
}

/// Where the aggregate's key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// The id of the message: a new aggregate.
    New,
    /// `{id}` in the path.
    Path,
    /// There is only one aggregate.
    Fixed(&'static str),
}

/// A command that can be given over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub verb: Verb,
    pub path: &'static str,
    pub type_name: &'static str,
    pub key: KeyFrom,
    pub summary: &'static str,
    /// The read model whose row is the result, shown to those who wait.
    pub result: Option<&'static str>,
}
