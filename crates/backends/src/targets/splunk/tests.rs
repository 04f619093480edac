//! Queries as Splunk gets them.
