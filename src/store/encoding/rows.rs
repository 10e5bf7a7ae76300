//! Rows of JSON values, written one after the other.

use crate::domain::envelope::Extra;
use crate::store::{StoreError, StoreResult};
use serde::Serialize;
use uuid::Uuid;

/// One JSON array of rows, built without an intermediate value.
pub(in crate::store) struct JsonRows {
    text: Vec<u8>,
}

impl JsonRows {
    pub(in crate::store) fn with_capacity(bytes: usize) -> Self {
        let mut text = Vec::with_capacity(bytes);
        text.push(b'[');
        Self { text }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.text.len() == 1
    }

    pub(in crate::store) fn row(&mut self) -> JsonRow<'_> {
        if !self.is_empty() {
            self.text.push(b',');
        }
        self.text.push(b'[');
        JsonRow { text: &mut self.text, first: true }
    }

    pub(in crate::store) fn finish(mut self) -> StoreResult<String> {
        self.text.push(b']');
        String::from_utf8(self.text).map_err(|error| StoreError::Refused(error.to_string()))
    }
}

/// A row being written; `end` closes it.
pub(in crate::store) struct JsonRow<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
}

impl JsonRow<'_> {
    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(b',');
        }
    }

    pub(in crate::store) fn value(&mut self, value: &(impl Serialize + ?Sized)) -> StoreResult<&mut Self> {
        self.comma();
        serde_json::to_writer(&mut *self.text, value)
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(self)
    }

    /// JSON text that is put in as it is.
    pub(in crate::store) fn raw(&mut self, json: &str) -> &mut Self {
        self.comma();
        self.text.extend_from_slice(json.as_bytes());
        self
    }

    pub(in crate::store) fn uuid(&mut self, id: &Uuid) -> &mut Self {
        let mut buffer = [0; uuid::fmt::Simple::LENGTH];
        self.hex(id.simple().encode_lower(&mut buffer))
    }

    pub(in crate::store) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.hex(&hex)
    }

    pub(in crate::store) fn optional_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.raw("null"),
        }
    }

    pub(in crate::store) fn optional_uuid(&mut self, id: Option<&Uuid>) -> &mut Self {
        match id {
            Some(id) => self.uuid(id),
            None => self.raw("null"),
        }
    }

    fn hex(&mut self, digits: &str) -> &mut Self {
        self.comma();
        self.text.push(b'"');
        self.text.extend_from_slice(digits.as_bytes());
        self.text.push(b'"');
        self
    }

    pub(in crate::store) fn extra(&mut self, extra: &Extra) -> StoreResult<&mut Self> {
        if extra.is_empty() {
            return Ok(self.raw("null"));
        }
        let text = serde_json::to_string(extra).map_err(|error| StoreError::Refused(error.to_string()))?;
        self.value(&text)
    }

    pub(in crate::store) fn end(&mut self) {
        self.text.push(b']');
    }
}
