//! Tests of one field, and of keywords.

use sigcast_diagnostics::Code;
use sigcast_ir::{Affix, Case, Expr, Match, Order, Part, Pattern, Subject, Test, TimePart};

use super::{
    SPAN, and, cased, check, check_blank, check_refused, keyword, literally, network, not, number, on, or, ordered,
    part, same, text, value,
};

#[test]
fn text_takes_the_operator_of_its_shape() {
    check(&text("Image", "a b"), r#"Image =~ "a b""#);
    check(&text("Image", "a*"), r#"Image startswith "a""#);
    check(&text("Image", "*a"), r#"Image endswith "a""#);
    check(&text("Image", "*a*"), r#"Image contains "a""#);
    check(&cased("Image", "a"), r#"Image == "a""#);
    check(&cased("Image", "a*"), r#"Image startswith_cs "a""#);
    check(&cased("Image", "*a"), r#"Image endswith_cs "a""#);
    check(&cased("Image", "*a*"), r#"Image contains_cs "a""#);
    check(&literally("Image", "*"), r#"Image =~ "*""#);
}

#[test]
fn wildcards_inside_become_one_regular_expression() {
    check(&text("f", "a*b"), r#"f matches regex @"(?is)^a.*b$""#);
    check(&text("f", "*a*b*"), r#"f matches regex @"(?is)a.*b""#);
    check(&text("f", r"C:\*\x.exe"), r#"f matches regex @"(?is)^C:\\.*\\x\.exe$""#);
    check(&text("f", "a?"), r#"f matches regex @"(?is)^a.$""#);
    check(&text("f", "?"), r#"f matches regex @"(?s)^.$""#);
    check(&text("f", "??*"), r#"f matches regex @"(?s)^..""#);
    check(&cased("f", "a*b"), r#"f matches regex @"(?s)^a.*b$""#);
    check(&text("f", "1*2"), r#"f matches regex @"(?s)^1.*2$""#);
    check(&text("f", "\"(a|b)*[c]{1}^$+.?"), r#"f matches regex @"(?is)^""\(a\|b\).*\[c\]\{1\}\^\$\+\..$""#);
    check(&text("f", "a\n*b"), r#"f matches regex "(?is)^a\n.*b$""#);
    check(&text("f", "?*"), "isnotempty(f)");
}

#[test]
fn letters_beyond_ascii_are_folded_by_regular_expressions() {
    check(&text("f", "Ü"), r#"f matches regex @"(?i)^Ü$""#);
    check(&text("f", "*.ü*"), r#"f matches regex @"(?i)\.ü""#);
    check(&text("f", "日本"), r#"f == "日本""#);
    check(&text("f", "*a日*"), r#"f matches regex @"(?i)a日""#);
    check(&cased("f", "*ü*"), r#"f contains_cs "ü""#);
}

#[test]
fn numbers_are_exact_and_guarded_under_negation() {
    check(&number("EventID", "4688"), "EventID == 4688");
    check(&number("f", "9007199254740993"), "f == 9007199254740993");
    check(&number("f", "9223372036854775807"), "f == 9223372036854775807");
    check(&number("f", "-9223372036854775808"), "f == long(-9223372036854775808)");
    check_refused(&number("f", "9223372036854775808"), Code::ValueUnsupported);
    check(&number("f", ".5"), "f == 0.5");
    check(&ordered("f", Order::GreaterOrEqual, "-5"), "f >= -5");
    check(&ordered("f", Order::Less, "1e100"), "f < 1e100");
    check(&not(number("f", "1")), "not(isnotempty(f) and f == 1)");
    let listed = or(&[number("f", "1"), number("f", "2"), text("g", "x")]);
    check(&not(listed), r#"not((isnotempty(f) and f in (1, 2)) or g =~ "x")"#);
    let between = and(&[ordered("f", Order::Greater, "1"), ordered("f", Order::Less, "5")]);
    check(&between, "f > 1 and f < 5");
    check(&not(between), "not(isnotempty(f) and f > 1 and f < 5)");
    check(&not(or(&[number("f", "1"), number("g", "2")])), NOT_OF_TWO_FIELDS);
}

const NOT_OF_TWO_FIELDS: &str = "not((isnotempty(f) and f == 1) or (isnotempty(g) and g == 2))";

#[test]
fn booleans_are_compared_as_text_whatever_their_type() {
    check(&on("f", Test::Bool(true)), r#"tostring(f) =~ "true""#);
    check(&not(on("f", Test::Bool(false))), r#"not(tostring(f) =~ "false")"#);
}

#[test]
fn empty_and_absent_are_one() {
    check_blank(&text("f", ""), "isempty(f)");
    check_blank(&on("f", Test::Null), "isempty(f)");
    check_blank(&on("f", Test::Exists(false)), "isempty(f)");
    check_blank(&on("f", Test::Exists(true)), "isnotempty(f)");
    check_blank(&text("f", "*"), "isnotempty(f)");
    check_blank(&not(on("f", Test::Null)), "not(isempty(f))");
    // Whoever asks for both at once needs no distinction.
    check(&or(&[on("f", Test::Null), text("f", "")]), "not(isnotempty(f))");
    check(&or(&[text("g", "x"), text("f", ""), on("f", Test::Null)]), r#"g =~ "x" or not(isnotempty(f))"#);
    check(&not(or(&[on("f", Test::Null), text("f", "")])), "isnotempty(f)");
    check(&and(&[not(on("f", Test::Null)), not(text("f", ""))]), "isnotempty(f)");
    check(&and(&[text("f", "*"), not(text("f", ""))]), "isnotempty(f)");
    check_blank(&or(&[on("f", Test::Null), text("g", "")]), "isempty(f) or isempty(g)");
    check_blank(&and(&[on("f", Test::Null), text("f", "")]), "isempty(f) and isempty(f)");
}

#[test]
fn networks_go_to_the_functions_of_their_family() {
    check(&network("ip", "10.0.0.0/8"), r#"coalesce(ipv4_is_in_any_range(ip, "10.0.0.0/8"), false)"#);
    check(&network("ip", "10.1.2.3/8"), r#"coalesce(ipv4_is_in_any_range(ip, "10.0.0.0/8"), false)"#);
    check(&network("ip", "fc00::/7"), r#"coalesce(ipv6_is_in_any_range(ip, "fc00::/7"), false)"#);
    check(&network("ip", "2001:db8:1::/48"), r#"coalesce(ipv6_is_in_any_range(ip, "2001:db8:1::/48"), false)"#);
    check(
        &not(or(&[network("ip", "10.0.0.0/8"), network("ip", "127.0.0.1/32"), network("ip", "::1/128")])),
        "not(coalesce(ipv4_is_in_any_range(ip, \"10.0.0.0/8\", \"127.0.0.1/32\"), false) \
         or coalesce(ipv6_is_in_any_range(ip, \"::1/128\"), false))",
    );
    check(
        &or(&[network("ip", "10.0.0.0/8"), network("other", "10.0.0.0/8")]),
        "coalesce(ipv4_is_in_any_range(ip, \"10.0.0.0/8\"), false) \
         or coalesce(ipv4_is_in_any_range(other, \"10.0.0.0/8\"), false)",
    );
    // The function reads 10.0.0.1 as ::ffff:10.0.0.1.
    for wide in ["::/0", "::ffff:0.0.0.0/96", "::ffff:10.0.0.0/104"] {
        let text = wide.parse::<ipnet::Ipv6Net>().expect("a network").to_string();
        let expected = format!(r#"ip contains ":" and coalesce(ipv6_is_in_any_range(ip, "{text}"), false)"#);
        check(&network("ip", wide), &expected);
    }
}

#[test]
fn keywords_look_in_every_column() {
    check(&keyword("a b"), r#"* contains "a b""#);
    check(&keyword("*a*"), r#"* contains "a""#);
    check(&keyword("a*b?"), r#"* matches regex @"(?is)a.*b.""#);
    check(&keyword("ü"), r#"* matches regex @"(?i)ü""#);
    check(&not(keyword("a")), r#"not(* contains "a")"#);
    check(
        &and(&[keyword("a"), or(&[keyword("b"), text("f", "c")])]),
        r#"* contains "a" and (* contains "b" or f =~ "c")"#,
    );
    check_refused(&keyword("*"), Code::ConstantQuery);
    let number = Test::Number { order: Order::Equal, value: value("1") };
    check_refused(&Expr::Match(Match { subject: Subject::Event, test: number, span: SPAN }), Code::KeywordUnsupported);
}

#[test]
fn fields_are_compared() {
    use Affix::{Contains, EndsWith, Equals, StartsWith};
    for (affix, ignoring, minding) in [
        (Equals, "=~", "=="),
        (StartsWith, "startswith", "startswith_cs"),
        (EndsWith, "endswith", "endswith_cs"),
        (Contains, "contains", "contains_cs"),
    ] {
        check_blank(&same("f", "g", affix, Case::Insensitive), &format!("isnotempty(g) and f {ignoring} g"));
        check_blank(
            &not(same("f", "g-h", affix, Case::Sensitive)),
            &format!("not(isnotempty(['g-h']) and f {minding} ['g-h'])"),
        );
    }
}

#[test]
fn parts_of_times_have_functions() {
    for (which, function) in [
        (TimePart::Minute, "datetime_part(\"minute\", t)"),
        (TimePart::Hour, "hourofday(t)"),
        (TimePart::Day, "dayofmonth(t)"),
        (TimePart::Week, "week_of_year(t)"),
        (TimePart::Month, "monthofyear(t)"),
        (TimePart::Year, "getyear(t)"),
    ] {
        check(&part("t", which, Order::Equal, "3"), &format!("{function} == 3"));
        check(&not(part("t", which, Order::Less, "3")), &format!("not(isnotempty(t) and {function} < 3)"));
    }
    check(&part("a.t", TimePart::Hour, Order::Equal, "3"), "hourofday(todatetime(a.t)) == 3");
}

#[test]
fn placeholders_are_refused() {
    let pattern = Pattern::from_parts([Part::Placeholder("x".into())]);
    let test = Test::Text { pattern, case: Case::Insensitive };
    check_refused(&on("f", test.clone()), Code::UnresolvedPlaceholder);
    check_refused(&Expr::Match(Match { subject: Subject::Event, test, span: SPAN }), Code::UnresolvedPlaceholder);
}
