//! GitHub's expressions, `${{ … }}`: <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.
//!
//! Strict where GitHub is lenient: what is not known (a context, a function, an input that is not declared, a step that
//! does not exist or has not run) is an error and not an empty string, so that a slip of the pen fails a test.

use std::fmt::Write as _;

use serde_json::Value;

/// Where an expression is evaluated.
pub trait Scope {
    /// A context (`github`, `inputs`, …) as a JSON value; none if there is no such context here.
    fn context(&self, name: &str) -> Option<Value>;

    /// `success()`: nothing has failed so far.
    fn success(&self) -> bool;

    /// `cancelled()`.
    fn cancelled(&self) -> bool;

    /// `hashFiles(pattern)`.
    ///
    /// # Errors
    /// A pattern that is not supported.
    fn hash_files(&self, pattern: &str) -> Result<String, String>;
}

/// Evaluates one expression, without the braces around it.
///
/// # Errors
/// What does not parse, or names what is not there.
pub fn evaluate(text: &str, scope: &dyn Scope) -> Result<Value, String> {
    let parse = || {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, scope };
        let value = parser.or()?;
        match parser.tokens.get(parser.at) {
            None => Ok(value),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    };
    parse().map_err(|e| format!("`{text}`: {e}"))
}

/// A text with `${{ … }}` in it.
///
/// # Errors
/// As [`evaluate`], or an expression without an end.
pub fn template(text: &str, scope: &dyn Scope) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        out.push_str(before);
        let end = end_of_expression(after).ok_or_else(|| format!("`{text}`: an expression has no end"))?;
        out.push_str(&as_text(&evaluate(&after[..end], scope)?)?);
        rest = &after[end + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

/// An `if:`. Without a status function, `success()` is asked for as well.
///
/// # Errors
/// As [`evaluate`].
pub fn condition(text: Option<&str>, scope: &dyn Scope) -> Result<bool, String> {
    let Some(text) = text else {
        return Ok(scope.success());
    };
    let text = text.trim();
    let inner = text.strip_prefix("${{").and_then(|t| t.strip_suffix("}}")).unwrap_or(text);
    let asks_status = tokens(inner)?.windows(2).any(|pair| {
        matches!(pair, [Token::Name(name), Token::Sign("(")]
            if ["success", "failure", "cancelled", "always"].contains(&name.to_ascii_lowercase().as_str()))
    });
    Ok((asks_status || scope.success()) && truthy(&evaluate(inner, scope)?))
}

/// Where the `}}` is that is not in a string.
fn end_of_expression(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted && text[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 14] = ["==", "!=", "&&", "||", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", "."];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '\'' {
            let (string, length) = string(rest)?;
            out.push(Token::Text(string));
            length
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            out.push(Token::Sign(sign));
            sign.len()
        } else if first == ',' {
            out.push(Token::Sign(","));
            1
        } else {
            let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let numeric = first.is_ascii_digit() || first == '-';
            let end = rest.find(|c| !(name(c) || numeric && c == '.')).unwrap_or(rest.len());
            let word = &rest[..end];
            if word.is_empty() {
                return Err(format!("unexpected {first:?}"));
            }
            out.push(if numeric {
                Token::Number(word.parse().map_err(|_| format!("{word} is no number"))?)
            } else {
                Token::Name(word.to_owned())
            });
            end
        };
        rest = rest[taken..].trim_start();
    }
    Ok(out)
}

/// A string at the start of a text, and how long it is there: `'it''s'`.
fn string(text: &str) -> Result<(String, usize), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            out.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
            out.push('\'');
            chars.next();
        } else {
            return Ok((out, at + 1));
        }
    }
    Err(format!("{text}: a string has no end"))
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    scope: &'a dyn Scope,
}

impl Parser<'_> {
    fn eat(&mut self, sign: &str) -> bool {
        let there = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(format!("expected {sign}, found {:?}", self.tokens.get(self.at))) }
    }

    // Both sides are always evaluated here, which GitHub does not do: what is not known must not hide behind `&&`.
    fn or(&mut self) -> Result<Value, String> {
        let mut left = self.and()?;
        while self.eat("||") {
            let right = self.and()?;
            left = if truthy(&left) { left } else { right };
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Value, String> {
        let mut left = self.comparison()?;
        while self.eat("&&") {
            let right = self.comparison()?;
            left = if truthy(&left) { right } else { left };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Value, String> {
        let left = self.not()?;
        for sign in ["==", "!="] {
            if self.eat(sign) {
                let right = self.not()?;
                return Ok(Value::Bool(equal(&left, &right)? == (sign == "==")));
            }
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Value, String> {
        if self.eat("!") {
            return Ok(Value::Bool(!truthy(&self.not()?)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Value, String> {
        if self.eat("(") {
            let value = self.or()?;
            self.expect(")")?;
            // `(a || b).c` is not GitHub's.
            return Ok(value);
        }
        let token = self.tokens.get(self.at).cloned().ok_or("it ends too early")?;
        self.at += 1;
        match token {
            Token::Text(text) => Ok(Value::String(text)),
            Token::Number(number) => Ok(number.into()),
            Token::Name(name) if self.eat("(") => self.call(&name),
            Token::Name(name) => match name.as_str() {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                "null" => Ok(Value::Null),
                _ => self.path(&name),
            },
            Token::Sign(sign) => Err(format!("unexpected {sign}")),
        }
    }

    fn path(&mut self, context: &str) -> Result<Value, String> {
        let mut path = vec![context.to_ascii_lowercase()];
        let mut value = self.scope.context(&path[0]).ok_or_else(|| format!("there is no context {context} here"))?;
        loop {
            let key = if self.eat(".") {
                match self.tokens.get(self.at) {
                    Some(Token::Name(name)) => name.clone(),
                    other => return Err(format!("expected a property, found {other:?}")),
                }
            } else if self.eat("[") {
                let key = as_text(&self.or()?)?;
                self.expect("]")?;
                self.at -= 1;
                key
            } else {
                return Ok(value);
            };
            self.at += 1;
            let found = match &value {
                Value::Object(map) => map.iter().find(|(k, _)| k.eq_ignore_ascii_case(&key)).map(|(_, v)| v.clone()),
                Value::Array(list) => key.parse::<usize>().ok().and_then(|at| list.get(at).cloned()),
                _ => None,
            };
            path.push(key);
            value = match found {
                Some(value) => value,
                None if may_be_missing(&path) => Value::Null,
                None => return Err(format!("there is no {}", path.join("."))),
            };
        }
    }

    fn call(&mut self, name: &str) -> Result<Value, String> {
        let mut args = Vec::new();
        if !self.eat(")") {
            loop {
                args.push(self.or()?);
                if !self.eat(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let text = |at: usize| args.get(at).map_or_else(|| Err("an argument is missing".to_owned()), as_text);
        let lower = |at: usize| text(at).map(|t| t.to_lowercase());
        Ok(match (name.to_ascii_lowercase().as_str(), args.len()) {
            ("always", 0) => true.into(),
            ("success", 0) => self.scope.success().into(),
            ("failure", 0) => (!self.scope.success()).into(),
            ("cancelled", 0) => self.scope.cancelled().into(),
            ("hashfiles", 1) => self.scope.hash_files(&text(0)?)?.into(),
            ("startswith", 2) => lower(0)?.starts_with(&lower(1)?).into(),
            ("endswith", 2) => lower(0)?.ends_with(&lower(1)?).into(),
            ("contains", 2) => match &args[0] {
                Value::Array(list) => {
                    let mut found = false;
                    for item in list {
                        found |= equal(item, &args[1])?;
                    }
                    found.into()
                }
                _ => lower(0)?.contains(&lower(1)?).into(),
            },
            ("fromjson", 1) => serde_json::from_str(&text(0)?).map_err(|e| format!("fromJSON: {e}"))?,
            ("tojson", 1) => args[0].to_string().into(),
            ("format", 1..) => {
                let rest: Vec<String> = args[1..].iter().map(as_text).collect::<Result<_, _>>()?;
                format(&text(0)?, &rest)?.into()
            }
            (other, count) => return Err(format!("there is no function {other} with {count} arguments")),
        })
    }
}

/// Where GitHub's own data decide what is there, or a step that may have said nothing.
fn may_be_missing(path: &[String]) -> bool {
    match path {
        [context, _, ..] if context == "env" => true,
        [context, event, _, ..] if context == "github" && event == "event" => true,
        [context, _, outputs, _, ..] if context == "steps" && outputs == "outputs" => true,
        _ => false,
    }
}

/// `format('{0} {{', x)`.
fn format(pattern: &str, args: &[String]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
        } else {
            let (index, after) = after.split_once('}').ok_or_else(|| format!("format: {pattern}"))?;
            let arg = index.parse::<usize>().ok().and_then(|i| args.get(i));
            out.push_str(arg.ok_or_else(|| format!("format: {pattern} has no {{{index}}}"))?);
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether GitHub takes a value for true: all but `false`, `0`, `''` and `null`.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// `==`: text without regard to case, different types as numbers.
fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    fn number(value: &Value) -> Result<f64, String> {
        Ok(match value {
            Value::Null => 0.0,
            Value::Bool(b) => f64::from(u8::from(*b)),
            Value::Number(n) => n.as_f64().unwrap_or(f64::NAN),
            Value::String(s) if s.trim().is_empty() => 0.0,
            Value::String(s) => s.trim().parse().unwrap_or(f64::NAN),
            Value::Array(_) | Value::Object(_) => return Err("a list or an object is compared".into()),
        })
    }
    match (left, right) {
        (Value::String(l), Value::String(r)) => Ok(l.to_lowercase() == r.to_lowercase()),
        _ => Ok(number(left)? == number(right)?),
    }
}

/// A value in a text.
///
/// # Errors
/// A list or an object, which would be `Array` or `Object`.
pub(super) fn as_text(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    match value {
        Value::Null => {}
        Value::String(s) => out.push_str(s),
        Value::Bool(b) => write!(out, "{b}").expect("a String takes every write"),
        Value::Number(n) => match n.as_f64() {
            Some(float) => write!(out, "{float}").expect("a String takes every write"),
            None => return Err(format!("{n} is no number of GitHub's")),
        },
        Value::Array(_) | Value::Object(_) => return Err("a list or an object stands where a text should".into()),
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Made;

    impl Scope for Made {
        fn context(&self, name: &str) -> Option<Value> {
            match name {
                "inputs" => Some(json!({"path": "a b", "cache": "False", "empty": ""})),
                "github" => {
                    Some(json!({"ref": "refs/heads/main", "event": {"repository": {"default_branch": "main"}}}))
                }
                "steps" => Some(json!({"one": {"outcome": "success", "outputs": {"zero": "0"}}})),
                "env" => Some(json!({})),
                _ => None,
            }
        }
        fn success(&self) -> bool {
            false
        }
        fn cancelled(&self) -> bool {
            false
        }
        fn hash_files(&self, _: &str) -> Result<String, String> {
            Ok(String::new())
        }
    }

    #[test]
    fn values() {
        for (text, want) in [
            ("1 == 1.0", json!(true)),
            ("'A' == 'a'", json!(true)),
            ("'' == null", json!(true)),
            ("inputs.cache != 'false'", json!(false)),
            ("inputs.empty || 'x'", json!("x")),
            ("steps.one.outputs.zero || '3'", json!("0")),
            ("steps.one.outputs.nothing || '3'", json!("3")),
            ("inputs['path']", json!("a b")),
            ("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)", json!(true)),
            ("github.event.pull_request.head.sha", json!(null)),
            ("(false || true) && !false", json!(true)),
            ("'it''s'", json!("it's")),
            ("format('{{{0}}}', 'x')", json!("{x}")),
            ("startsWith('Main', 'ma')", json!(true)),
            ("contains(fromJSON('[\"a\", \"b\"]'), 'B')", json!(true)),
            ("env.NOTHING", json!(null)),
            ("!cancelled() && failure()", json!(true)),
        ] {
            assert_eq!(evaluate(text, &Made), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for text in [
            "inputs.typo",
            "steps.two.outputs.x",
            "steps.one.output.x",
            "github.typo",
            "secret.x",
            "toUpper('x')",
            "format('{1}', 'x')",
            "true && inputs.typo",
            "false && inputs.typo",
            "'no end",
            "1 1",
            "a ?? b",
            "",
            "success(1)",
            "github.event == github.event",
        ] {
            assert!(evaluate(text, &Made).is_err(), "{text}");
        }
        assert!(template("${{ inputs.path", &Made).is_err());
        assert!(template("${{ github.event }}", &Made).is_err());
    }

    #[test]
    fn templates_and_conditions() {
        assert_eq!(template("a-${{ inputs.path }}-${{ '}}' }}.", &Made).as_deref(), Ok("a-a b-}}."));
        assert_eq!(condition(None, &Made), Ok(false));
        assert_eq!(condition(Some("1 == 1"), &Made), Ok(false), "success() is asked for");
        assert_eq!(condition(Some("${{ !cancelled() && 1 == 1 }}"), &Made), Ok(true));
        assert_eq!(condition(Some("always()"), &Made), Ok(true));
    }
}
