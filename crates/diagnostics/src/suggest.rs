//! "Did you mean": the nearest known word.

/// The known word nearest to `word`, if one is near enough to be a likely slip of the pen: about one
/// edit in three letters, a swap counting as one, ignoring case.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if word.len() > 64 {
        return None;
    }
    let wanted = word.to_lowercase();
    let limit = wanted.chars().count().div_ceil(3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_far() {
        let known = ["contains", "startswith", "endswith", "re"];
        assert_eq!(nearest("contians", known), Some("contains"));
        assert_eq!(nearest("EndWith", known), Some("endswith"));
        assert_eq!(nearest("base64", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
