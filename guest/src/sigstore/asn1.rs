//! Strict DER, read forward: certificates, keys and timestamps.
//!
//! Two readers that take the same signed bytes for different things are an attack waiting to be found, so one encoding only is
//! read: definite and minimal lengths (which `der` sees to), minimal integers, booleans of 00 and FF, no bytes after the last
//! field. Nothing here recurses and nothing is copied: a reader is as deep as the function that asks it.

use der::{Decode as _, Header, Reader as _, SliceReader, Tag, TagNumber};
use jiff::Timestamp;

/// The tag of an explicit or constructed `[N]`.
pub(crate) const fn constructed(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The tag of an implicit primitive `[N]`.
pub(crate) const fn primitive(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: false, number: TagNumber(number) }
}

/// One field, written: the header and then the parts. `tag` is the whole byte.
pub(crate) fn field(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            // As many bytes as a usize has fit seven bits.
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// What is no DER, or not the field that must come next. The caller says in which structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not strict DER")]
pub struct NotDer;

/// Reads the fields of one structure.
#[derive(Clone)]
pub(crate) struct Der<'a>(SliceReader<'a>);

impl<'a> Der<'a> {
    /// Over the content of a structure, or a whole file.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, NotDer> {
        SliceReader::new(bytes).map(Self).map_err(|_| NotDer)
    }

    /// Over the content of the one SEQUENCE that `bytes` is.
    pub(crate) fn only_sequence(bytes: &'a [u8]) -> Result<Self, NotDer> {
        let mut outer = Self::new(bytes)?;
        let inner = outer.sequence()?;
        outer.finish()?;
        Ok(inner)
    }

    /// Whether all was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_finished()
    }

    /// That all was read.
    pub(crate) fn finish(self) -> Result<(), NotDer> {
        if self.is_empty() { Ok(()) } else { Err(NotDer) }
    }

    /// The next field's tag.
    pub(crate) fn peek(&self) -> Option<Tag> {
        Tag::peek(&self.0).ok()
    }

    /// The next field, whole: tag, length and content.
    pub(crate) fn whole(&mut self) -> Result<&'a [u8], NotDer> {
        self.0.tlv_bytes().map_err(|_| NotDer)
    }

    /// The next field's content, which must have that tag.
    pub(crate) fn read(&mut self, tag: Tag) -> Result<&'a [u8], NotDer> {
        let header = Header::decode(&mut self.0).map_err(|_| NotDer)?;
        if header.tag() != tag {
            return Err(NotDer);
        }
        self.0.read_slice(header.length()).map_err(|_| NotDer)
    }

    /// The same, where the next field has that tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, NotDer> {
        if self.peek() == Some(tag) { self.read(tag).map(Some) } else { Ok(None) }
    }

    /// A SEQUENCE.
    pub(crate) fn sequence(&mut self) -> Result<Self, NotDer> {
        Self::new(self.read(Tag::Sequence)?)
    }

    /// An OBJECT IDENTIFIER's content: to compare with `ObjectIdentifier::as_bytes`.
    pub(crate) fn oid(&mut self) -> Result<&'a [u8], NotDer> {
        let bytes = self.read(Tag::ObjectIdentifier)?;
        // Sub-identifiers are minimal, and the last one ends.
        let minimal =
            bytes.iter().zip([0].iter().chain(bytes)).all(|(byte, before)| *byte != 0x80 || before & 0x80 != 0);
        if minimal && bytes.last().is_some_and(|last| last & 0x80 == 0) { Ok(bytes) } else { Err(NotDer) }
    }

    /// An INTEGER's content: two's complement, minimal.
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], NotDer> {
        let bytes = self.read(Tag::Integer)?;
        match bytes {
            [] | [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(NotDer),
            _ => Ok(bytes),
        }
    }

    /// An INTEGER from 0 to 127: versions and states.
    pub(crate) fn small(&mut self) -> Result<u8, NotDer> {
        match self.integer()? {
            [value @ 0x00..=0x7f] => Ok(*value),
            _ => Err(NotDer),
        }
    }

    /// `BOOLEAN DEFAULT FALSE`: FALSE is not written.
    pub(crate) fn flag(&mut self) -> Result<bool, NotDer> {
        match self.optional(Tag::Boolean)? {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(NotDer),
        }
    }

    /// An OCTET STRING.
    pub(crate) fn octets(&mut self) -> Result<&'a [u8], NotDer> {
        self.read(Tag::OctetString)
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], NotDer> {
        match self.read(Tag::BitString)?.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(NotDer),
        }
    }

    /// An AlgorithmIdentifier: the OID, and what the parameters are, whole. NULL reads as none: RFC 5754 section 2 has
    /// verifiers take both.
    pub(crate) fn algorithm(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), NotDer> {
        let mut fields = self.sequence()?;
        let oid = fields.oid()?;
        let parameters = if fields.is_empty() { None } else { Some(fields.whole()?) };
        fields.finish()?;
        Ok((oid, parameters.filter(|parameters| *parameters != [0x05, 0x00])))
    }

    /// UTCTime or GeneralizedTime to the second, in UTC: what RFC 5280 section 4.1.2.5 has of them.
    pub(crate) fn time(&mut self) -> Result<Timestamp, NotDer> {
        match self.peek() {
            Some(Tag::UtcTime) => {
                let text = self.read(Tag::UtcTime)?;
                // RFC 5280 section 4.1.2.5.1.
                let century: &[u8] = if text.first().is_some_and(|decade| *decade >= b'5') { b"19" } else { b"20" };
                time(&[century, text].concat())
            }
            _ => time(self.read(Tag::GeneralizedTime)?),
        }
    }

    /// GeneralizedTime with a fraction of a second or without, in UTC: RFC 3161 section 2.4.2.
    pub(crate) fn precise_time(&mut self) -> Result<Timestamp, NotDer> {
        let text = self.read(Tag::GeneralizedTime)?;
        let Some(dot) = text.iter().position(|byte| *byte == b'.') else {
            return time(text);
        };
        let (seconds, fraction) = text.split_at(dot);
        // No trailing zeros, as that section says; a clock finer than a nanosecond is none.
        let [b'.', digits @ .., b'Z'] = fraction else { return Err(NotDer) };
        if digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) || digits.last().is_none_or(|last| *last == b'0')
        {
            return Err(NotDer);
        }
        let nanoseconds =
            (0..9).fold(0, |sum, place| sum * 10 + i32::from(digits.get(place).map_or(0, |digit| digit - b'0')));
        let whole = time(&[seconds, b"Z"].concat())?;
        Timestamp::new(whole.as_second(), nanoseconds).map_err(|_| NotDer)
    }
}

/// `YYYYMMDDHHMMSSZ`, from 1970 on.
fn time(text: &[u8]) -> Result<Timestamp, NotDer> {
    let [digits @ .., b'Z'] = text else { return Err(NotDer) };
    if digits.len() != 14 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotDer);
    }
    let pair = |at: usize| (digits[at] - b'0') * 10 + (digits[at + 1] - b'0');
    let year = u16::from(pair(0)) * 100 + u16::from(pair(2));
    let time = der::DateTime::new(year, pair(4), pair(6), pair(8), pair(10), pair(12)).map_err(|_| NotDer)?;
    let seconds = i64::try_from(time.unix_duration().as_secs()).map_err(|_| NotDer)?;
    Timestamp::from_second(seconds).map_err(|_| NotDer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_one_form_only() {
        let utc = |text: &str| {
            Der::new(&[&[0x17, text.len() as u8], text.as_bytes()].concat()).and_then(|mut der| der.time())
        };
        let precise = |text: &str| {
            Der::new(&[&[0x18, text.len() as u8], text.as_bytes()].concat()).and_then(|mut der| der.precise_time())
        };
        let at = |text: &str| Ok(text.parse::<Timestamp>().expect("a time"));
        assert_eq!(utc("261127100000Z"), at("2026-11-27T10:00:00Z"));
        assert_eq!(utc("710101000000Z"), at("1971-01-01T00:00:00Z"));
        assert_eq!(precise("20261127100000Z"), at("2026-11-27T10:00:00Z"));
        assert_eq!(precise("20261127100000.05Z"), at("2026-11-27T10:00:00.05Z"));
        assert_eq!(precise("20261127100000.123456789Z"), at("2026-11-27T10:00:00.123456789Z"));
        for bad in [
            "2611271000Z",
            "261127100000",
            "261127100000+0100",
            "261327100000Z",
            "260230100000Z",
            "26112710000xZ",
            "261127106000Z",
            "",
        ] {
            assert_eq!(utc(bad), Err(NotDer), "{bad}");
        }
        for bad in [
            "20261127100000.Z",
            "20261127100000.50Z",
            "20261127100000.1234567891Z",
            "20261127100000.5",
            "20261127100000,5Z",
            "20261127100000.-5Z",
            "202611271000Z",
            "20261127100060Z",
        ] {
            assert_eq!(precise(bad), Err(NotDer), "{bad}");
        }
    }

    #[test]
    fn a_field_is_written_as_it_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; length];
            let mut der = field(0x04, &[&content]);
            assert_eq!(Der::new(&der).and_then(|mut reader| reader.octets().map(<[u8]>::len)), Ok(length));
            der.pop();
            assert_eq!(Der::new(&der).and_then(|mut reader| reader.octets().map(<[u8]>::len)), Err(NotDer));
        }
    }

    #[test]
    fn one_encoding_only() {
        let small = |bytes: &[u8]| Der::new(bytes).and_then(|mut der| der.small());
        assert_eq!(small(&[2, 1, 5]), Ok(5));
        // Padded, negative, empty, a long length, an indefinite one, cut off.
        for bad in [&[2, 2, 0, 5][..], &[2, 1, 0x85], &[2, 0], &[2, 0x81, 1, 5], &[2, 0x80, 5, 0, 0], &[2, 2, 5]] {
            assert_eq!(small(bad), Err(NotDer), "{bad:?}");
        }
        let flag = |bytes: &[u8]| Der::new(bytes).and_then(|mut der| der.flag());
        assert_eq!((flag(&[]), flag(&[1, 1, 0xff])), (Ok(false), Ok(true)));
        for bad in [&[1, 1, 0][..], &[1, 1, 1], &[1, 2, 0xff, 0xff]] {
            assert_eq!(flag(bad), Err(NotDer), "{bad:?}");
        }
        let oid = |bytes: &[u8]| Der::new(bytes).and_then(|mut der| der.oid().map(<[u8]>::to_vec));
        assert_eq!(oid(&[6, 3, 0x2a, 0x86, 0x48]), Ok(vec![0x2a, 0x86, 0x48]));
        for bad in [&[6, 0][..], &[6, 2, 0x2a, 0x86], &[6, 3, 0x2a, 0x80, 0x01], &[6, 2, 0x80, 0x01]] {
            assert_eq!(oid(bad), Err(NotDer), "{bad:?}");
        }
        let bits = |bytes: &[u8]| Der::new(bytes).and_then(|mut der| der.bits().map(<[u8]>::to_vec));
        assert_eq!(bits(&[3, 2, 0, 9]), Ok(vec![9]));
        for bad in [&[3, 0][..], &[3, 2, 1, 8]] {
            assert_eq!(bits(bad), Err(NotDer), "{bad:?}");
        }
        assert!(Der::only_sequence(&[0x30, 0]).is_ok());
        assert!(Der::only_sequence(&[0x30, 0, 0]).is_err());
    }
}
