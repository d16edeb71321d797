//! Which column becomes what, and whether nothing is lost on the way.

use crate::workshop::{file, titled};

#[tokio::test]
async fn a_column_is_what_all_of_its_texts_are() {
    let text = "\
whole,large,number,pointed,flag,zip,price,phone,mixed,huge,none,body
1,9223372036854775807,0.5,1.0,true,007,1.10,+49,1,18446744073709551615,,a
-2,-1,2,0.5,false,12345,2.00,+1,x,1,,1
,,,,,,,,,,,
";
    insta::assert_snapshot!(file(text, "").await);
}

#[tokio::test]
async fn numbers_that_would_be_written_otherwise_stay_text() {
    insta::assert_snapshot!(titled(vec![
        ("with and without a point", file("v\n1\n1.0\n", "").await),
        (
            "rounded",
            file("v\n0.1000000000000000055511151231257827\n", "").await
        ),
        ("a negative zero", file("v\n-0\n", "").await),
        (
            "late in the file",
            file(format!("v\n{}01\n", "1\n".repeat(3)), "").await
        ),
    ]));
}

#[tokio::test]
async fn declared_types_replace_what_would_be_found() {
    let text = "\
id,score,price,ok,day,at,seen,payload,code
007,+1.5,12.50,TRUE,2024-01-31,2024-01-31 12:00:00,2024-01-31T12:00:00+01:00,\"{\"\"a\"\":1}\",1
8,1e3,-0.05,false,1969-12-31,1969-12-31T23:59:59.5,1970-01-01 00:00:00Z,\"[1, 2]\",2
,,,,,,,,
x,1,1,true,2024-01-31,2024-01-31 12:00,2024-01-31T12:00:00Z,1,3
1,x,1,true,2024-01-31,2024-01-31 12:00,2024-01-31T12:00:00Z,1,4
1,1,1.005,true,2024-01-31,2024-01-31 12:00,2024-01-31T12:00:00Z,1,5
1,1,1,yes,2024-01-31,2024-01-31 12:00,2024-01-31T12:00:00Z,1,6
1,1,1,true,2024-02-30,2024-01-31 12:00,2024-01-31T12:00:00Z,1,7
1,1,1,true,2024-01-31,noon,2024-01-31T12:00:00Z,1,8
1,1,1,true,2024-01-31,2024-01-31 12:00,2024-01-31 12:00:00,1,9
1,1,1,true,2024-01-31,2024-01-31 12:00,2024-01-31T12:00:00Z,{,10
";
    let schema = r#"[sources.legacy.schema]
id = "bigint"
score = "double"
price = "decimal(10, 2)"
ok = "boolean"
day = "date"
at = "timestamp"
seen = "timestamptz"
payload = "json"
code = "text""#;
    insta::assert_snapshot!(file(text, schema).await);
}

#[tokio::test]
async fn values_may_look_as_the_settings_say() {
    let text = "\
day,at,seen,epoch,ok
31.01.2024,31/01/2024 1:05 PM,2024-01-31 12:00:00 +0100,1706702400,yes
31.1.24,31/01/2024 13:05,2024-01-31 12:00:00,1706702400,no
01.02.2024,01/02/2024 12:00 AM,2024-01-31 12:00:00 -0500,0,maybe
02.02.2024,02/02/2024 12:00 PM,2024-01-31 12:00:00 +0000,-1,no
";
    let schema = r#"[sources.legacy.schema]
day = { date = "%d.%m.%Y" }
at = { timestamp = "%d/%m/%Y %I:%M %p" }
seen = { timestamptz = "%Y-%m-%d %H:%M:%S %z" }
epoch = { timestamptz = "%s" }
ok = { boolean = ["yes", "no"] }"#;
    insta::assert_snapshot!(file(text, schema).await);
}

#[tokio::test]
async fn an_order_is_noticed_over_the_whole_input() {
    let text = "\
id,wide,at,name,back,gap,end,share
9,09,2024-01-01,a,3,1,x,0.5
10,10,2024-01-02,b,2,,y,1
10,11,2024-01-02,\"ba\",4,2,,2
";
    insta::assert_snapshot!(file(text, "").await);
}
