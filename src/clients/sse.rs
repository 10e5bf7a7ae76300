//! Cuts a stream of bytes into server-sent events.

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub id: Option<String>,
    pub data: String,
}

/// Keeps the part of an event that has not ended yet.
#[derive(Debug, Default)]
pub struct Frames {
    rest: Vec<u8>,
    open: Frame,
}

impl Frames {
    /// The events that end within these bytes; comments and events without data are left out.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let frame = std::mem::take(&mut self.open);
                frames.extend((!frame.data.is_empty()).then_some(frame));
            } else {
                self.line(line);
            }
        }
        frames
    }

    fn line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.open.id = Some(value.to_owned()),
            "data" => {
                if !self.open.data.is_empty() {
                    self.open.data.push('\n');
                }
                self.open.data.push_str(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_the_bytes_are_cut() {
        let text =
            b": hello\n\nid: 7\nevent: MealLogged\ndata: {\"a\":\ndata: 1}\n\n:\n\nid: 8\r\ndata: x\r\n\r\n";
        let expected = [
            Frame { id: Some("7".into()), data: "{\"a\":\n1}".into() },
            Frame { id: Some("8".into()), data: "x".into() },
        ];
        for size in 1..text.len() {
            let mut frames = Frames::default();
            let all: Vec<Frame> = text.chunks(size).flat_map(|chunk| frames.push(chunk)).collect();
            assert_eq!(all, expected, "in pieces of {size}");
        }
    }
}
