//! The options of a conversion: `-O key=value`.
//!
//! One table: an option is one entry of [`OPTIONS`] and one field of [`Settings`]; the targets that know it name its key.
//!
//! | module | what |
//! |---|---|
//! | `settings` | what options set |
//! | `table` | the options |
//! | `read` | what their values mean |

mod read;
mod settings;
mod table;

use sigcast_diagnostics::nearest;

pub use read::seconds;
pub use settings::{
    CaseMode, CidrMode, Enabled, FieldMode, RegexpMode, Settings, WatcherAction, WatcherApi, WindowMode,
};
pub use table::OPTIONS;

/// One option.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its key.
    pub key: &'static str,
    /// The values it takes: words with `|` between them, or what kind of text in capitals.
    pub values: &'static str,
    /// What holds if it is not given.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), String>,
}

/// The option with this key.
#[must_use]
pub fn option(key: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.key == key)
}

/// The key nearest to a word, of all options.
#[must_use]
pub fn nearest_key(key: &str) -> Option<&'static str> {
    nearest(key, OPTIONS.iter().map(|option| option.key))
}

impl Settings {
    /// What is usual, but for these options, given as keys and values.
    ///
    /// # Errors
    /// An unknown key, or what is wrong with a value, as a sentence for the user.
    pub fn of(options: &[(&str, &str)]) -> Result<Self, String> {
        let mut settings = Self::default();
        for (key, value) in options {
            option(key).ok_or_else(|| format!("unknown option `{key}`"))?.set(&mut settings, value)?;
        }
        Ok(settings)
    }
}

impl OptionSpec {
    /// Sets the option.
    ///
    /// # Errors
    /// What is wrong with the value, as a sentence for the user.
    pub fn set(&self, settings: &mut Settings, value: &str) -> Result<(), String> {
        (self.set)(settings, value).map_err(|fault| format!("option {}: {fault}", self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        let mut settings = Settings::default();
        let mut set = |key: &str, value: &str| option(key).expect("known").set(&mut settings, value);
        assert_eq!(set("cidr", "expand"), Ok(()));
        assert_eq!(
            set("cidr", "expnad"),
            Err("option cidr: `expnad` is none of auto, native, expand; did you mean `expand`?".to_owned())
        );
        assert!(set("time_range", "24h").is_ok());
        for wrong in ["", "h", "0m", "24", "1w", "é"] {
            assert!(set("time_range", wrong).is_err(), "{wrong}");
        }
        assert!(set("host", "a; rm -rf /").is_err());
        assert!(set("cron", "*/5  8-18 * * MON,TUE").is_ok());
        for wrong in ["* * * *", "* * * * * *", "* * * * $(x)", "a\n* * * *"] {
            assert!(set("cron", wrong).is_err(), "{wrong}");
        }
        assert_eq!(settings.cidr, CidrMode::Expand);
        let both = Settings::of(&[("cidr", "expand"), ("time_range", "24h")]).expect("settings");
        assert_eq!((both.cidr, both.time_range.as_deref()), (CidrMode::Expand, Some("24h")));
        assert_eq!(Settings::of(&[("cdir", "expand")]).map(|_| ()), Err("unknown option `cdir`".to_owned()));
    }
}
