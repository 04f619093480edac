//! Values of sample events: addresses, numbers, times, maps.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde_json::{Map, Value, json};
use sigcast_ir::{NumberValue, Order, TimePart};

use super::Event;

/// The members of a list, or the value itself. Sample events have no lists in lists.
pub(super) fn members(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        other => std::slice::from_ref(other).iter(),
    }
}

/// The text of a scalar.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number in JSON; a text if JSON's readers do not hold it.
pub(super) fn number(value: NumberValue) -> Value {
    match value {
        NumberValue::Integer(number) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) => json!(number),
            _ => json!(number.to_string()),
        },
        NumberValue::Float(number) => json!(number),
    }
}

/// The numbers around a border, those that compare so first.
pub(super) fn around(order: Order, value: NumberValue) -> Vec<NumberValue> {
    let step = |by: i128| match value {
        NumberValue::Integer(number) => NumberValue::Integer(number.saturating_add(by)),
        NumberValue::Float(number) => NumberValue::Float(number + by as f64),
    };
    match order {
        Order::Equal | Order::LessOrEqual => vec![step(0), step(-1), step(1)],
        Order::GreaterOrEqual => vec![step(0), step(1), step(-1)],
        Order::Less => vec![step(-1), step(-2), step(0), step(1)],
        Order::Greater => vec![step(1), step(2), step(0), step(-1)],
    }
}

/// The first, last and middle address of a network.
pub(super) fn addresses(network: &IpNet) -> Vec<IpAddr> {
    match network {
        IpNet::V4(network) => {
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            [first, last, first + (last - first) / 2].map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))).to_vec()
        }
        IpNet::V6(network) => {
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            [first, last, first + (last - first) / 2].map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))).to_vec()
        }
    }
}

/// The addresses just outside a network.
pub(super) fn outside(network: &IpNet) -> Vec<IpAddr> {
    match network {
        IpNet::V4(network) => {
            [network.network().to_bits().checked_sub(1), network.broadcast().to_bits().checked_add(1)]
                .into_iter()
                .flatten()
                .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
                .collect()
        }
        IpNet::V6(network) => {
            [network.network().to_bits().checked_sub(1), network.broadcast().to_bits().checked_add(1)]
                .into_iter()
                .flatten()
                .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
                .collect()
        }
    }
}

/// Other spellings of an address, and an address of the other family that looks like it.
pub(super) fn spellings(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => vec![format!("::ffff:{address}"), format!("{address}/32"), format!(" {address}")],
        IpAddr::V6(address) => {
            let full: Vec<String> = address.segments().iter().map(|part| format!("{part:04x}")).collect();
            let bare: Vec<String> = address.segments().iter().map(|part| format!("{part:x}")).collect();
            vec![full.join(":"), bare.join(":"), full.join(":").to_uppercase()]
        }
    }
}

/// A timestamp in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
}

impl Clock {
    /// An ordinary time.
    pub(super) const USUAL: Self = Self { year: 2024, month: 5, day: 15, hour: 10, minute: 20 };

    /// This time with one part set; none if there is no such time.
    pub(super) fn with(mut self, part: TimePart, value: i64) -> Option<Self> {
        match part {
            TimePart::Minute => self.minute = value,
            TimePart::Hour => self.hour = value,
            TimePart::Day => self.day = value,
            TimePart::Month => self.month = value,
            TimePart::Year => self.year = value,
            // 2024 starts with a Monday, and so with the first day of its first week; 2020 has 53 weeks.
            TimePart::Week if value == 53 => (self.year, self.month, self.day) = (2020, 12, 30),
            TimePart::Week => {
                let mut left = (value - 1) * 7 + 1;
                (self.year, self.month) = (2024, 1);
                while left > days(2024, self.month) {
                    left -= days(2024, self.month);
                    self.month += 1;
                    if self.month > 12 {
                        return None;
                    }
                }
                self.day = left;
            }
        }
        let valid = (0..=59).contains(&self.minute)
            && (0..=23).contains(&self.hour)
            && (1..=12).contains(&self.month)
            && (1..=9998).contains(&self.year)
            && (1..=days(self.year, self.month)).contains(&self.day);
        valid.then_some(self)
    }

    /// Reads `2024-05-15T10:20:00Z` and nothing else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let clock = Self {
            year: part(0, 4)?,
            month: part(5, 7)?,
            day: part(8, 10)?,
            hour: part(11, 13)?,
            minute: part(14, 16)?,
        };
        (clock.to_string() == text && clock.with(TimePart::Minute, clock.minute).is_some()).then_some(clock)
    }

    /// A part of it.
    pub(super) fn part(self, part: TimePart) -> i64 {
        match part {
            TimePart::Minute => self.minute,
            TimePart::Hour => self.hour,
            TimePart::Day => self.day,
            TimePart::Month => self.month,
            TimePart::Year => self.year,
            TimePart::Week => self.week(),
        }
    }

    /// The week by ISO 8601: that of the Thursday of its week, counted in the Thursday's year.
    fn week(self) -> i64 {
        let ordinal = (1..self.month).map(|month| days(self.year, month)).sum::<i64>() + self.day;
        let before = self.year - 1;
        // Days since the Monday before 1 January of the year 1, which was a Monday itself.
        let weekday = (before * 365 + before / 4 - before / 100 + before / 400 + ordinal - 1) % 7;
        let thursday = ordinal - weekday + 3;
        let length = |year| (1..=12).map(|month| days(year, month)).sum::<i64>();
        let within = if thursday < 1 {
            thursday + length(before)
        } else if thursday > length(self.year) {
            thursday - length(self.year)
        } else {
            thursday
        };
        (within - 1) / 7 + 1
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z")
    }
}

fn days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The event with its dotted fields as maps; none if there are none, or one would hide another.
pub(super) fn nest(event: &Event) -> Option<Event> {
    let mut nested = Map::new();
    let mut dotted = false;
    for (field, value) in event {
        let mut place = &mut nested;
        let mut parts: Vec<&str> = field.split('.').collect();
        dotted |= parts.len() > 1;
        let last = parts.pop()?;
        for part in parts {
            let inner = place.entry(part).or_insert_with(|| Value::Object(Map::new()));
            place = inner.as_object_mut()?;
        }
        if place.contains_key(last) {
            return None;
        }
        place.insert(last.to_owned(), value.clone());
    }
    dotted.then_some(nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_and_maps() {
        for (text, week) in [
            ("2021-01-03T00:00:00Z", 53),
            ("2021-01-04T00:00:00Z", 1),
            ("2024-12-30T00:00:00Z", 1),
            ("2024-05-15T00:00:00Z", 20),
        ] {
            assert_eq!(Clock::read(text).map(|clock| clock.part(TimePart::Week)), Some(week), "{text}");
        }
        for week in 1..=53 {
            let clock = Clock::USUAL.with(TimePart::Week, week).expect("a week");
            assert_eq!(clock.part(TimePart::Week), week);
        }
        let flat = json!({"a.b": 1, "a.c": 2, "d": 3});
        let nested = flat.as_object().and_then(nest).expect("nests");
        assert_eq!(Value::Object(nested), json!({"a": {"b": 1, "c": 2}, "d": 3}));
    }
}
