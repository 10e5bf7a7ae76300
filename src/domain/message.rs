//! How typed messages become stored text and back: a name, a version and a JSON body.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// Why a stored or received body is not what its name says.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    #[error("no message type is called {type_name:?} in this context")]
    UnknownType { type_name: String },
    #[error("{type_name} version {version} is not known to this program")]
    UnknownVersion { type_name: String, version: u16 },
    /// `pointer` is a JSON pointer to the field at fault.
    #[error("{type_name}: {message} (at {pointer})")]
    Malformed { type_name: String, pointer: String, message: String },
}

/// A closed set of message types that one context speaks. Implemented by [`messages!`](crate::messages).
pub trait Message: Sized + Send + Sync + 'static {
    /// Every stored type name with its current version; all versions from 1 on are read.
    const TYPES: &'static [(&'static str, u16)];

    fn type_name(&self) -> &'static str;
    fn schema_version(&self) -> u16;

    /// The body as JSON text.
    ///
    /// # Errors
    /// When a value has no JSON form, such as a map with keys that are not text.
    fn encode(&self) -> Result<String, DecodeError>;

    /// # Errors
    /// When the name or version is unknown or the body does not fit it.
    fn decode(type_name: &str, version: u16, body: &str) -> Result<Self, DecodeError>;

    /// JSON schemas of the bodies, by type name.
    fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)>;
}

/// Turns the body of one version into that of the next. Pure, and total over everything the old version allowed;
/// the text says why a body cannot have been of that version.
pub type Upcast = fn(Value) -> Result<Value, String>;

/// Declares an enum of messages whose variants are named as they are stored, each with its version, and from
/// version 2 on with the [`Upcast`] that leads from each older version to the next:
/// `messages! { pub enum Event { MemberAdded = 2 upcasts { 1 => member_added_1 }, MemberRemoved = 1 } }`.
#[macro_export]
macro_rules! messages {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($variant:ident = $version:literal $(upcasts { $($from:literal => $upcast:path),+ $(,)? })?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($variant($variant)),* }

        impl $crate::domain::message::Message for $name {
            const TYPES: &'static [(&'static str, u16)] = &[$((stringify!($variant), $version)),*];

            fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),* }
            }

            fn schema_version(&self) -> u16 {
                match self { $(Self::$variant(_) => $version),* }
            }

            fn encode(&self) -> Result<String, $crate::domain::message::DecodeError> {
                match self { $(Self::$variant(body) => $crate::domain::message::to_text(stringify!($variant), body)),* }
            }

            fn decode(type_name: &str, version: u16, body: &str) -> Result<Self, $crate::domain::message::DecodeError> {
                match type_name {
                    $(stringify!($variant) => {
                        const { assert!(
                            $crate::domain::message::leads_to($version, &[$($($from),+)?]),
                            "every version before the current one needs its upcast, in order from 1 on",
                        ) }
                        let upcasts: &[$crate::domain::message::Upcast] = &[$($($upcast),+)?];
                        $crate::domain::message::from_version(stringify!($variant), upcasts, version, body)
                            .map(Self::$variant)
                    })*
                    _ => Err($crate::domain::message::DecodeError::UnknownType { type_name: type_name.to_owned() }),
                }
            }

            fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                vec![$((stringify!($variant), $crate::domain::message::schema_of::<$variant>(generator))),*]
            }
        }

        $(impl From<$variant> for $name {
            fn from(body: $variant) -> Self { Self::$variant(body) }
        })*
    };
}

/// # Errors
/// See [`Message::encode`].
pub fn to_text<T: serde::Serialize>(type_name: &str, body: &T) -> Result<String, DecodeError> {
    serde_json::to_string(body).map_err(|error| DecodeError::Malformed {
        type_name: type_name.to_owned(),
        pointer: String::new(),
        message: error.to_string(),
    })
}

/// Whether upcasts from these versions lead from the first version to the current one.
#[must_use]
pub const fn leads_to(current: u16, from: &[u16]) -> bool {
    let mut n = 0;
    while n < from.len() {
        if from[n] as usize != n + 1 {
            return false;
        }
        n += 1;
    }
    current as usize == from.len() + 1
}

/// Reads the body of any version up to the current one, which is one past the upcasts.
///
/// # Errors
/// See [`Message::decode`].
pub fn from_version<T: DeserializeOwned>(
    type_name: &str,
    upcasts: &[Upcast],
    version: u16,
    body: &str,
) -> Result<T, DecodeError> {
    let current = upcasts.len() + 1;
    if usize::from(version) == current {
        return from_text(type_name, body);
    }
    let known = usize::from(version).checked_sub(1).and_then(|first| upcasts.get(first..));
    let steps =
        known.ok_or_else(|| DecodeError::UnknownVersion { type_name: type_name.to_owned(), version })?;
    let mut value: Value = from_text(type_name, body)?;
    for (from, upcast) in (version..).zip(steps) {
        value = upcast(value).map_err(|message| DecodeError::Malformed {
            type_name: type_name.to_owned(),
            pointer: String::new(),
            message: format!("version {from} does not become version {}: {message}", from + 1),
        })?;
    }
    serde_path_to_error::deserialize(value).map_err(|error| DecodeError::Malformed {
        type_name: type_name.to_owned(),
        pointer: pointer(error.path()),
        message: format!("brought up from version {version}: {}", error.into_inner()),
    })
}

/// # Errors
/// When the body does not fit the type.
pub fn from_text<T: DeserializeOwned>(type_name: &str, body: &str) -> Result<T, DecodeError> {
    // The plain reader is fast; only a failure is worth the slower one that knows the path.
    serde_json::from_str(body).map_err(|_| malformed::<T>(type_name, body))
}

fn malformed<T: DeserializeOwned>(type_name: &str, body: &str) -> DecodeError {
    let reader = &mut serde_json::Deserializer::from_str(body);
    let (pointer, message) = match serde_path_to_error::deserialize::<_, T>(reader) {
        Ok(_) => (String::new(), "there is something after the end of the JSON value".to_owned()),
        Err(error) => (pointer(error.path()), error.into_inner().to_string()),
    };
    DecodeError::Malformed { type_name: type_name.to_owned(), pointer, message }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |text, segment| match segment {
        Segment::Seq { index } => format!("{text}/{index}"),
        Segment::Map { key } => format!("{text}/{key}"),
        Segment::Enum { variant } => format!("{text}/{variant}"),
        Segment::Unknown => text,
    })
}

#[must_use]
pub fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
