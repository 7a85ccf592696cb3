//! Both databases give the same results.

use std::collections::BTreeSet;

use colloquy::domain::{ChatFilter, ChatPage, ClientId};
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, PASSWORD, TestApp},
    client::Client,
};

/// Texts that databases are known to treat differently.
const TEXTS: [&str; 16] = [
    "Straße und STRASSE",
    "İstanbul ve istanbul",
    "ΣΊΣΥΦΟΣ und σίσυφος",
    "É composed, e\u{301} decomposed",
    "100% of it_works \\ fine",
    "quotes ' and \" and ` and ;--",
    "trailing blanks   ",
    "tab\tand\r\nline ends\rof all\nkinds",
    "emoji 👩‍👩‍👧‍👦 and 🇩🇪",
    "\u{FEFF}a mark, \u{FFFE} and \u{2028} lines \u{2029}",
    "zero\u{200C}width\u{200D}joiners",
    "1e400, -0, 0x10, 00012",
    "null",
    "عربى ועברית",
    "日本語のテキスト",
    "A",
];
/// Searches in the titles.
const SEARCHES: [&str; 18] = [
    "strasse",
    "STRASSE",
    "straße",
    "ISTANBUL",
    "i̇stanbul",
    "σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "é",
    "e\u{301}",
    "%",
    "_",
    "\\",
    "'",
    "100%",
    "it_w",
    "日本",
    "עברית",
    "null",
];
/// Sign-ups in this order, some of which are refused.
const SIGN_UPS: [(&str, &str); 8] = [
    ("Ada@Example.org", "Ada"),
    ("ada@example.org", "Ada again"),
    ("grace@example.org", "Grace"),
    ("grace@example.org", "grace"),
    ("mail@example.org", "GRACE"),
    ("nul@example.org", "N\0ul"),
    ("long@example.org", "x"),
    ("ümlaut@example.org", "Ümlaut"),
];

/// Performs the same requests on a database, and returns the results without ids and times.
async fn transcript(backend: Backend, zone: &str) -> Vec<Value> {
    let app = TestApp::start_with(backend, |config| config.sign_up_open = true).await;
    if backend == Backend::PostgresAndRedis {
        // Times are stored as numbers: the database's time zone must have no effect.
        let name = app.column("select current_database()::text").await.pop().expect("a name");
        app.execute(&format!("alter database {name} set timezone to '{zone}'")).await;
    }
    let app = app.second_instance().await;
    let mut results = Vec::new();
    for (email, name) in SIGN_UPS {
        let form = [("email", email), ("name", name), ("password", PASSWORD)];
        let answer = app.anonymous().post_form("/api/sign_up", &form).await;
        results.push(json!({ "sign_up": email, "status": answer.status.as_u16() }));
    }
    let mut ada = app.signed_in("ADA@example.ORG").await;
    for text in TEXTS {
        // One after another, so that the order of their times is known.
        let sent = ada.send_message(None, text).await;
        ada.wait_for_answer(sent.chat).await;
        let chat = ada.chat(sent.chat).await;
        results.push(json!({ "text": chat.window.messages[0].text, "answer": chat.window.messages[1].html, "title": chat.title }));
        let renamed = ada.post_form("/api/rename_chat", &[("chat", &sent.chat.to_string()), ("title", text)]).await;
        results.push(json!({ "renamed": renamed.status.as_u16(), "title": ada.chat(sent.chat).await.title }));
    }
    for text in ["nul \0 inside", "", "   ", "\u{1}\u{7f}"] {
        let answer = ada.try_send_message(None, text, ClientId::random()).await;
        results.push(json!({ "message": text, "status": answer.status.as_u16() }));
    }
    for search in SEARCHES {
        results.push(json!({ "search": search, "found": titles(&mut ada, search).await }));
    }
    results.push(json!({ "all": titles(&mut ada, "").await }));
    results
}

/// The titles of the chats that a search finds, in the order of the list.
async fn titles(client: &mut Client, search: &str) -> Vec<String> {
    let asked = json!({ "filter": ChatFilter::All, "search": search, "cursor": null });
    let page: ChatPage = client.post_json("/api/list_chats", &asked).await.json();
    page.chats.into_iter().map(|chat| format!("{}: {}", chat.title, chat.preview)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b07_both_databases_give_the_same_results() {
    let sqlite = transcript(Backend::Sqlite, "").await;
    let postgres = transcript(Backend::PostgresAndRedis, "Asia/Kathmandu").await;
    assert_eq!(sqlite.len(), postgres.len());
    for (sqlite, postgres) in sqlite.iter().zip(&postgres) {
        assert_eq!(sqlite, postgres);
    }
    let found = |results: &[Value], search: &str| {
        let row = results.iter().find(|row| row["search"] == search).expect("a search");
        row["found"].as_array().expect("a list").len()
    };
    assert_eq!(
        (found(&sqlite, "%"), found(&sqlite, "ΣΊΣΥΦΟΣ"), found(&sqlite, "日本")),
        (1, 1, 1),
        "a search that finds"
    );
}

/// The schema of a database: columns with their types, keys and indexes, and references, each as a text. PostgreSQL's
/// types are given by SQLite's names.
async fn schema(app: &TestApp) -> BTreeSet<String> {
    let statements = if app.backend() == Backend::Sqlite { SQLITE_SCHEMA } else { POSTGRES_SCHEMA };
    let mut schema = BTreeSet::new();
    for statement in statements {
        schema.extend(app.column(statement).await);
    }
    schema
}

const SQLITE_SCHEMA: &[&str] = &[
    r#"select 'column ' || t.name || '.' || c.name || ' ' || lower(c.type)
         || case when c."notnull" or c.pk > 0 then ' not null' else '' end
       from sqlite_master t, pragma_table_info(t.name) c
       where t.type = 'table' and t.name not like 'sqlite!_%' escape '!' and t.name not like '!_sqlx%' escape '!'"#,
    r#"select case i.origin when 'c' then 'index ' || i.name || ' on ' else 'key ' end || t.name || ' ('
         || (select group_concat(name, ', ') from
              (select coalesce(k.name, 'expression') as name from pragma_index_info(i.name) k order by k.seqno))
         || ')' || case when i."unique" then ' unique' else '' end || case when i.partial then ' partial' else '' end
       from sqlite_master t, pragma_index_list(t.name) i
       where t.type = 'table' and i.origin <> 'pk'"#,
    r#"select 'key ' || t.name || ' ('
         || (select group_concat(name, ', ') from
              (select k.name from pragma_table_info(t.name) k where k.pk > 0 order by k.pk))
         || ') unique'
       from sqlite_master t
       where t.type = 'table' and t.name not like 'sqlite!_%' escape '!' and t.name not like '!_sqlx%' escape '!'"#,
    r#"select 'reference ' || t.name || '.' || f."from" || ' to ' || f."table" || ' ' || lower(f.on_delete)
       from sqlite_master t, pragma_foreign_key_list(t.name) f where t.type = 'table'"#,
];
const POSTGRES_SCHEMA: &[&str] = &[
    r#"select 'column ' || table_name || '.' || column_name || ' '
         || case data_type when 'uuid' then 'blob' when 'bytea' then 'blob' when 'bigint' then 'integer'
              else data_type end
         || case is_nullable when 'NO' then ' not null' else '' end
       from information_schema.columns where table_schema = 'public' and table_name not like '\_sqlx%'"#,
    r#"select case when c.oid is null then 'index ' || i.relname || ' on ' else 'key ' end || t.relname || ' ('
         || (select string_agg(coalesce(a.attname::text, 'expression'), ', ' order by k.place)
             from unnest(x.indkey::smallint[]) with ordinality as k (number, place)
             left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.number)
         || ')' || case when x.indisunique then ' unique' else '' end
         || case when x.indpred is null then '' else ' partial' end
       from pg_index x
       join pg_class i on i.oid = x.indexrelid
       join pg_class t on t.oid = x.indrelid
       left join pg_constraint c on c.conindid = x.indexrelid and c.contype in ('p', 'u')
       where t.relnamespace = 'public'::regnamespace and t.relname not like '\_sqlx%'"#,
    r#"select 'reference ' || t.relname || '.' || a.attname || ' to ' || r.relname || ' '
         || case c.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'r' then 'restrict'
              else 'no action' end
       from pg_constraint c
       join pg_class t on t.oid = c.conrelid
       join pg_class r on r.oid = c.confrelid
       join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
       where c.contype = 'f' and t.relnamespace = 'public'::regnamespace"#,
];

/// What only one database has, on purpose.
const ONLY_ON_SQLITE: [&str; 0] = [];
const ONLY_ON_POSTGRES: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b07_both_databases_have_the_same_schema() {
    let sqlite = schema(&TestApp::start(Backend::Sqlite).await).await;
    let postgres = schema(&TestApp::start(Backend::PostgresAndRedis).await).await;
    assert!(sqlite.contains("column users.disabled_at integer") && sqlite.contains("key users (email_key) unique"));
    assert!(sqlite.contains("reference chats.owner_id to users cascade"), "{sqlite:#?}");
    let only =
        |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> { one.difference(other).cloned().collect() };
    assert_eq!(
        (only(&sqlite, &postgres), only(&postgres, &sqlite)),
        (ONLY_ON_SQLITE.map(String::from).to_vec(), ONLY_ON_POSTGRES.map(String::from).to_vec())
    );
}
