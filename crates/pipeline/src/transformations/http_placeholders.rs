//! `http_placeholders`: values fetched over HTTP stand for placeholders, if the run allows it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::Entry;
use super::external::{allowed, bytes, most, seconds, split};
use crate::read::fault;
use crate::text;
use crate::world::Request;

pub(super) const ENTRY: Entry = Entry {
    name: "http_placeholders",
    summary: "placeholders become values fetched over HTTP; only with --allow-external",
    read: |found, resources| {
        let head = found.part.head();
        let place = found.part.get("url").unwrap_or(found.part).span();
        let (extraction, http) = split::<Http>(&found, "http_placeholders")?;
        allowed(resources, "http_placeholders", "sends a request", head)?;
        let request = http.request().map_err(|why| vec![fault(place, why)])?;
        let text = resources.world.fetch(&request).map_err(|why| vec![fault(place, why)])?;
        extraction.work(&text, place)
    },
};

#[derive(Debug, Deserialize)]
struct Http {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default = "ten")]
    timeout: u64,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    form_data: Option<BTreeMap<String, Value>>,
    json_body: Option<BTreeMap<String, Value>>,
    #[serde(default = "most")]
    max_body_size: usize,
}

fn get() -> String {
    "GET".to_owned()
}

fn ten() -> u64 {
    10
}

impl Http {
    fn request(self) -> Result<Request, String> {
        let web = ["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme));
        if !web {
            return Err(format!("`{}` is no address of HTTP or HTTPS", self.url));
        }
        let encoded = |pairs: &mut dyn Iterator<Item = (String, String)>| {
            pairs.map(|(key, value)| format!("{}={}", percent(&key), percent(&value))).collect::<Vec<_>>().join("&")
        };
        let query = encoded(&mut self.params.into_iter());
        let sign = if self.url.contains('?') { '&' } else { '?' };
        let url = if query.is_empty() { self.url } else { format!("{}{sign}{query}", self.url) };
        let body = match (self.json_body, self.form_data) {
            (Some(_), Some(_)) => return Err("a request has `json_body` or `form_data`, not both".to_owned()),
            (Some(json), None) => {
                Some((serde_json::to_string(&json).map_err(|why| why.to_string())?, "application/json"))
            }
            (None, Some(form)) => {
                let pairs = form.into_iter().map(|(key, value)| (key, text::scalar(&value).unwrap_or_default()));
                Some((encoded(&mut pairs.into_iter()), "application/x-www-form-urlencoded"))
            }
            (None, None) => None,
        };
        Ok(Request {
            method: self.method,
            url,
            headers: self.headers.into_iter().collect(),
            body,
            timeout: seconds(self.timeout),
            most: bytes(self.max_body_size),
        })
    }
}

/// Text as it stands in a query of an address (RFC 3986).
fn percent(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            found.push(char::from(byte));
        } else {
            found.push_str(&format!("%{byte:02X}"));
        }
    }
    found
}
