//! Who may access which rows: the methods of the store's `Tx` and of its views `Owned`, `Admin` and `Engine`.

use std::collections::{BTreeMap, BTreeSet};

use super::{lexer::tokens_and_strings, sources};

/// The columns that name the owner of a row, each with the only table to which it applies, if any.
const OWNER_COLUMNS: &[(&str, Option<&str>)] =
    &[("owner_id", None), ("user_id", None), ("id", Some("users")), ("subject_id", Some("audit"))];

/// The methods of plain `Tx` that take a user, directly or in a struct, each with the reason.
const TX_METHODS_WITH_USER: &[(&str, &str)] = &[
    ("insert_audit_entry", "names who acted and whom it concerns, as far as they are known"),
    ("insert_ceremony", "a sign-in with a passkey has no user yet"),
    ("insert_flow", "a sign-in through a provider has no user yet"),
    ("insert_link", "an invitation has no user"),
    ("insert_pending_sign_in", "the user has not signed in yet"),
    ("insert_user", "the account does not exist yet"),
    ("owned_by", "returns the view of the user"),
    ("take_ceremony", "a sign-in with a passkey has no user yet"),
];

/// The tables that plain `Tx` accesses: what is needed before the user is known, and what every action may write.
const TX_TABLES: &[&str] = &[
    "audit",
    "ceremonies",
    "factors",
    "identities",
    "installation",
    "jobs",
    "links",
    "mails",
    "pending_sign_ins",
    "provider_flows",
    "reset_requests",
    "sessions",
    "sign_ins",
    "throttles",
    "users",
];

/// The tables that `Admin` accesses. None contains what a user has written.
const ADMIN_TABLES: &[&str] =
    &["audit", "deletions", "exports", "installation", "jobs", "links", "mails", "sign_ins", "users"];

/// The modules that call `Tx::admin`, each with the reason.
const ADMIN_CALLERS: &[(&str, &str)] = &[
    ("server/auth/admission", "an invitation or the operator determines the role of a new account"),
    ("server/auth/oidc/identity", "deletes an unusable account, under the lock for changes of accounts"),
    ("server/auth/safeguards", "the last administrator must stay"),
    ("server/auth/sign_up", "the first account becomes the administrator"),
    ("server/people", "administrators and the operator"),
    ("server/privacy/deletion", "the last administrator must stay"),
    ("server/privacy/purge", "disables the account, and lists the receipts for administrators"),
];

/// The modules that call `Tx::engine`, each with the reason.
const ENGINE_CALLERS: &[(&str, &str)] = &[
    ("server/auth/password_reset", "works off the requests for a password reset"),
    ("server/chat/sweep", "interrupts runs whose worker is dead"),
    ("server/chat/writer", "writes the runs of this process"),
    ("server/jobs", "runs jobs"),
    ("server/mail/outbox", "sends mails"),
    ("server/people/jobs", "an administrator retries a job"),
    ("server/privacy/export/job", "builds data exports"),
    ("server/privacy/purge", "deletes accounts"),
    ("server/privacy/retention", "deletes inactive chats"),
    ("server/secrets", "checks and rotates the keys"),
];

const VIEWS: &[&str] = &["Tx", "Owned", "Admin", "Engine"];

/// A method of `Tx` or of one of its views.
struct Method<'a> {
    view: &'static str,
    name: &'a str,
    parameters: &'a [String],
    body: &'a [String],
}

/// A statement in a method: the text of its SQL, and what is bound to `$1`, `$2`, …
struct Statement {
    sql: String,
    binds: Vec<String>,
}

/// The position after the bracket that closes the one at `open`.
fn after_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn position(tokens: &[String], from: usize, wanted: &str) -> usize {
    (from..tokens.len()).find(|&at| tokens[at] == wanted).unwrap_or(tokens.len())
}

/// The methods in the `impl` blocks of `Tx` and its views.
fn methods(tokens: &[String]) -> Vec<Method<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] != "impl" {
            at = if tokens[at] == "{" { after_group(tokens, at) } else { at + 1 };
            continue;
        }
        let open = position(tokens, at, "{");
        let view = VIEWS.iter().find(|view| tokens[at..open].iter().any(|token| token == *view));
        let end = after_group(tokens, open);
        at = open;
        while let Some(view) = view
            && at < end
        {
            at = position(tokens, at, "fn");
            if at >= end {
                break;
            }
            let parameters = position(tokens, at, "(");
            let after_parameters = after_group(tokens, parameters);
            let body = position(tokens, after_parameters, "{");
            let after_body = after_group(tokens, body);
            found.push(Method {
                view,
                name: &tokens[at + 1],
                parameters: &tokens[parameters..after_parameters],
                body: &tokens[body..after_body],
            });
            at = after_body;
        }
        at = end;
    }
    found
}

/// The string literals of each macro that a file defines.
fn macro_strings(tokens: &[String]) -> BTreeMap<&str, String> {
    let mut found = BTreeMap::new();
    for at in (0..tokens.len()).filter(|&at| tokens[at] == "macro_rules") {
        let body = &tokens[at + 3..after_group(tokens, at + 3)];
        found.insert(tokens[at + 2].as_str(), body.iter().filter_map(|token| content(token)).collect());
    }
    found
}

/// The content of a string literal.
fn content(token: &str) -> Option<&str> {
    token.strip_prefix('"').map(|rest| rest.trim_end_matches('"'))
}

/// The string literals of an expression: its own, and those of the macros and of the variables above it that it names.
fn text_of(expression: &[String], above: &[String], macros: &BTreeMap<&str, String>) -> String {
    let mut text = String::new();
    for token in expression {
        if let Some(literal) = content(token) {
            text.push_str(literal);
        } else if let Some(literals) = macros.get(token.as_str()) {
            text.push_str(literals);
        } else if let Some(at) = (1..above.len()).rev().find(|&at| above[at - 1] == "let" && above[at] == *token) {
            let end = position(above, at, ";");
            text.push_str(&text_of(&above[at + 2..end], &above[..at - 1], macros));
        }
    }
    text
}

/// The statements that a method executes.
fn statements(body: &[String], macros: &BTreeMap<&str, String>) -> Vec<Statement> {
    let mut found = Vec::new();
    for at in 0..body.len() {
        let sql_at = match body[at].as_str() {
            "execute" => 1,
            "fetch_optional" | "fetch_all" => 2,
            _ => continue,
        };
        if body.get(at + 1).is_none_or(|token| token != "!") {
            continue;
        }
        let end = after_group(body, at + 2) - 1;
        let (mut arguments, mut begin, mut here) = (Vec::new(), at + 3, at + 3);
        while here < end {
            match body[here].as_str() {
                "(" | "[" | "{" => here = after_group(body, here),
                "," => {
                    arguments.push(&body[begin..here]);
                    here += 1;
                    begin = here;
                }
                _ => here += 1,
            }
        }
        if begin < end {
            arguments.push(&body[begin..end]);
        }
        let sql = arguments.get(sql_at).map(|sql| text_of(sql, &body[..at], macros)).unwrap_or_default();
        let binds = arguments.iter().skip(sql_at + 1).map(|bind| bind.concat()).collect();
        found.push(Statement { sql: sql.to_lowercase(), binds });
    }
    found
}

/// The words of a statement, each with the number of parentheses around it.
fn sql_words(sql: &str) -> Vec<(usize, String)> {
    let spaced = sql.replace('(', " ( ").replace(')', " ) ").replace(',', " , ");
    let mut depth = 0;
    let mut words = Vec::new();
    for word in spaced.split_whitespace() {
        match word {
            "(" => depth += 1,
            ")" => depth = usize::saturating_sub(depth, 1),
            _ => words.push((depth, word.to_owned())),
        }
    }
    words
}

/// The tables that a statement names.
fn tables(sql: &str) -> BTreeSet<String> {
    let words: Vec<String> = sql_words(sql).into_iter().map(|(_, word)| word).collect();
    let names_table = |at: usize| match words[at].as_str() {
        "from" | "join" | "into" => true,
        "update" => at == 0 || words[at - 1] != "do",
        _ => false,
    };
    let named = (0..words.len()).filter(|&at| names_table(at)).filter_map(|at| words.get(at + 1));
    named.filter(|word| *word != "select").cloned().collect()
}

/// Whether a statement accesses only rows of the owner: it inserts rows of the owner, or a condition that all its rows
/// must meet names the owner.
fn names_owner(Statement { sql, binds }: &Statement) -> bool {
    let tables = tables(sql);
    let is_owner_column = |column: &str| {
        let name = column.rsplit('.').next().unwrap_or(column);
        OWNER_COLUMNS.iter().any(|(owner, only)| *owner == name && only.is_none_or(|table| tables.contains(table)))
    };
    let is_owner = |placeholder: &str| {
        let number = placeholder.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| binds.get(number.checked_sub(1)?)).is_some_and(|bind| bind == "self.owner")
    };
    if sql.trim_start().starts_with("insert") {
        let mut lists = sql.split('(').skip(1).map(|rest| rest.split(')').next().unwrap_or_default().split(','));
        let (Some(columns), Some(values)) = (lists.next(), lists.next()) else { return false };
        return columns.zip(values).any(|(column, value)| is_owner_column(column.trim()) && is_owner(value.trim()));
    }
    let words = sql_words(sql);
    // The rows of a recursive query come from its parts, which are in parentheses.
    let is_recursive = sql.contains("with recursive");
    words.windows(3).enumerate().any(|(at, condition)| {
        let [(depth, column), (_, equals), (_, placeholder)] = condition else { return false };
        let is_condition = equals == "=" && is_owner_column(column) && is_owner(placeholder);
        is_condition && (*depth == 0 || is_recursive) && applies_to_all_rows(&words, at)
    })
}

/// Whether the condition at this position is in a `where` clause, and not an alternative of an `or`.
fn applies_to_all_rows(words: &[(usize, String)], at: usize) -> bool {
    let depth = words[at].0;
    let same = |word: &&(usize, String)| word.0 == depth;
    let before: Vec<&str> =
        words[..at].iter().rev().take_while(|word| word.0 >= depth).filter(same).map(|word| &*word.1).collect();
    let Some(clause) = before.iter().position(|word| *word == "where") else { return false };
    let after = words[at..].iter().take_while(|word| word.0 >= depth && word.1 != "union").filter(same);
    !before[..clause].contains(&"or") && after.into_iter().all(|word| word.1 != "or")
}

/// The structs of the store and the domain that contain the id of a user.
fn structs_with_user(files: &[(String, Vec<String>)]) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["UserId".to_owned()]);
    let is_read = |path: &str| path.starts_with("server/store/") || path.starts_with("domain/");
    for (_, tokens) in files.iter().filter(|(path, _)| is_read(path)) {
        for at in (0..tokens.len()).filter(|&at| tokens[at] == "struct") {
            let open = (at..tokens.len()).find(|&at| matches!(tokens[at].as_str(), "{" | ";")).unwrap_or(at);
            if tokens[open..after_group(tokens, open)].iter().any(|token| token == "UserId") {
                found.insert(tokens[at + 1].clone());
            }
        }
    }
    found
}

/// Whether a module, given by its path below `src/`, is one of these or in one of these.
fn is_listed(path: &str, list: &[(&str, &str)]) -> bool {
    list.iter()
        .any(|(module, _)| path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The calls of `Tx::admin` and `Tx::engine` outside the store: the name of the method, and the path of the module.
fn view_calls(files: &[(String, Vec<String>)]) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (path, tokens) in files.iter().filter(|(path, _)| !path.starts_with("server/store/")) {
        for call in tokens.windows(3) {
            let is_view = matches!(call[1].as_str(), "admin" | "engine");
            if is_view && matches!(call[0].as_str(), "." | "::") && matches!(call[2].as_str(), "(" | ")" | ",") {
                found.push((call[1].as_str(), path.as_str()));
            }
        }
    }
    found
}

/// What contradicts the rules in these sources, which are given by their path below `src/`.
fn violations(sources: &[(String, String)]) -> Vec<String> {
    let files: Vec<_> = sources.iter().map(|(path, source)| (path.clone(), tokens_and_strings(source))).collect();
    let with_user = structs_with_user(&files);
    let mut found = Vec::new();
    for (path, tokens) in files.iter().filter(|(path, _)| path.starts_with("server/store/")) {
        let macros = macro_strings(tokens);
        for Method { view, name, parameters, body } in methods(tokens) {
            let statements = statements(body, &macros);
            let mut add = |what: &str| found.push(format!("{path}: {view}::{name} {what}"));
            let takes_user = parameters.iter().any(|token| with_user.contains(token));
            if view == "Tx" && takes_user && TX_METHODS_WITH_USER.iter().all(|(allowed, _)| *allowed != name) {
                add("takes a user");
            }
            for statement in &statements {
                let forbidden =
                    |allowed: &[&str]| !tables(&statement.sql).iter().all(|table| allowed.contains(&&**table));
                match view {
                    "Owned" if !names_owner(statement) => add("does not name the owner"),
                    "Tx" if statement.sql.is_empty() || forbidden(TX_TABLES) => add("accesses another table"),
                    "Admin" if statement.sql.is_empty() || forbidden(ADMIN_TABLES) => add("accesses another table"),
                    _ => {}
                }
            }
            // A literal that is executed in any other way.
            let is_sql = |literal: &str| {
                let verbs = ["select ", "insert ", "update ", "delete ", "with "];
                verbs.iter().any(|verb| literal.trim_start().starts_with(verb))
            };
            let literals = body.iter().filter_map(|token| content(token)).map(str::to_lowercase);
            for literal in literals.filter(|literal| is_sql(literal)) {
                if view != "Engine" && !statements.iter().any(|statement| statement.sql.contains(&literal)) {
                    add("has a statement that is not checked");
                }
            }
        }
    }
    for (method, path) in view_calls(&files) {
        let callers = if method == "admin" { ADMIN_CALLERS } else { ENGINE_CALLERS };
        if !is_listed(path, callers) {
            found.push(format!("{path} calls Tx::{method}"));
        }
    }
    found
}

#[test]
fn i02_statements_of_a_user_name_the_owner() {
    let sources = sources();
    let violations = violations(&sources);
    assert!(violations.is_empty(), "{violations:#?}");
    // The methods are found.
    let mut counts = BTreeMap::<_, usize>::new();
    for (_, source) in sources.iter().filter(|(path, _)| path.starts_with("server/store/")) {
        for method in methods(&tokens_and_strings(source)) {
            *counts.entry(method.view).or_default() += 1;
        }
    }
    assert!(VIEWS.iter().all(|view| counts.get(view).is_some_and(|count| *count > 10)), "{counts:?}");
}

#[test]
fn the_lists_of_exceptions_are_not_outdated() {
    let files: Vec<_> = sources().into_iter().map(|(path, source)| (path, tokens_and_strings(&source))).collect();
    let with_user = structs_with_user(&files);
    let methods: Vec<_> = files.iter().flat_map(|(_, tokens)| methods(tokens)).filter(|m| m.view == "Tx").collect();
    for (name, reason) in TX_METHODS_WITH_USER {
        let takes_user = |method: &Method<'_>| method.parameters.iter().any(|token| with_user.contains(token));
        assert!(methods.iter().any(|method| method.name == *name && takes_user(method)), "{name}: {reason}");
    }
    let calls = view_calls(&files);
    for (method, list) in [("admin", ADMIN_CALLERS), ("engine", ENGINE_CALLERS)] {
        for entry in list {
            let is_used = calls.iter().any(|(called, path)| *called == method && is_listed(path, &[*entry]));
            assert!(is_used, "{} does not call Tx::{method}: {}", entry.0, entry.1);
        }
    }
}

/// The violations in one file of the store.
fn in_store(source: &str) -> Vec<String> {
    violations(&[("server/store/documents".to_owned(), source.to_owned())])
}

/// The violations in a method of `Owned` with this statement and these values.
fn in_owned(sql: &str, binds: &str) -> Vec<String> {
    in_store(&format!(
        "impl Owned<'_> {{ pub async fn f(&mut self, other: UserId) {{ execute!(self.tx, \"{sql}\", {binds})?; }} }}"
    ))
}

#[test]
fn statements_without_owner_are_found() {
    for (sql, binds) in [
        ("select id from documents where owner_id = $1 and (a = 1 or b = 2)", "self.owner"),
        (
            "select d.id from documents d join chats c on c.id = d.chat_id where d.id = $2 and d.owner_id = $1",
            "self.owner, id",
        ),
        ("update users set name = $1 where id = $2", "name, self.owner"),
        ("insert into documents (id, owner_id, title) values ($2, $1, 'x')", "self.owner, id"),
        (
            "with recursive p as (select id from n where owner_id = $1 union all select n.id from n where a or b) select id from p",
            "self.owner",
        ),
    ] {
        assert_eq!(in_owned(sql, binds), [""; 0], "{sql}");
    }
    for (sql, binds) in [
        ("select id from documents where id = $1", "id"),
        ("select id from documents where id = $1", "self.owner"),
        ("select id from documents where owner_id = $1", "other"),
        ("select id from documents where owner_id = $2", "self.owner, other"),
        ("select id from documents where owner_id = $1 or id = $2", "self.owner, id"),
        ("select id from documents where id = $2 or owner_id = $1", "self.owner, id"),
        ("select id from documents where id = $2 and exists (select 1 from users where id = $1)", "self.owner, id"),
        ("update documents set owner_id = $1 where id = $2", "self.owner, id"),
        ("delete from documents", "self.owner"),
        ("insert into documents (id, title) values ($1, $2)", "self.owner, title"),
        ("insert into documents (owner_id, title) values ($1, $2)", "other, self.owner"),
    ] {
        let expected = ["server/store/documents: Owned::f does not name the owner"];
        assert_eq!(in_owned(sql, binds), expected, "{sql} with {binds}");
    }
    let unreadable = "impl Owned<'_> { fn f(&mut self) { execute!(self.tx, column.list, self.owner)?; } }";
    assert_eq!(in_store(unreadable), ["server/store/documents: Owned::f does not name the owner"]);
    let unchecked = "impl Owned<'_> { fn f(&mut self) { sqlx::query(\"delete from documents\"); } }";
    assert_eq!(in_store(unchecked), ["server/store/documents: Owned::f has a statement that is not checked"]);
}

#[test]
fn sql_in_variables_and_macros_is_found() {
    let source = r#"
        macro_rules! select { ($rest:literal) => { concat!("select id from d where d.owner_id = $1 ", $rest) }; }
        impl Owned<'_> {
            fn f(&mut self) { let sql = select!("and id = $2"); fetch_all!(self.tx, (A, B), sql, self.owner, id)?; }
            fn g(&mut self) { let sql = "select id from d where id = $1"; fetch_all!(self.tx, (A,), sql, id)?; }
        }"#;
    assert_eq!(in_store(source), ["server/store/documents: Owned::g does not name the owner"]);
}

#[test]
fn plain_transactions_do_not_access_the_rows_of_a_user() {
    let statement = |sql: &str| format!("execute!(self, \"{sql}\", id)?;");
    let method = |parameters: &str, sql: &str| {
        let body = statement(sql);
        in_store(&format!(
            "pub struct NewPage {{ user: UserId }} impl Tx {{ fn f(&mut self, {parameters}) {{ {body} }} }}"
        ))
    };
    assert_eq!(method("id: SignInId", "select id from sign_ins where id = $1"), [""; 0]);
    let takes_user = ["server/store/documents: Tx::f takes a user"];
    assert_eq!(method("id: UserId", "select id from sign_ins where user_id = $1"), takes_user);
    assert_eq!(method("new: &NewPage", "insert into sign_ins (user_id) values ($1)"), takes_user);
    let other_table = ["server/store/documents: Tx::f accesses another table"];
    for sql in [
        "select id from documents where id = $1",
        "select 1 from users join documents on true where id = $1",
        "insert into documents (id) values ($1) on conflict (id) do update set id = $1",
        "update documents set title = '' where id = $1",
    ] {
        assert_eq!(method("id: DocumentId", sql), other_table, "{sql}");
    }
    let admin = in_store(&format!("impl Admin<'_> {{ fn f(&mut self) {{ {} }} }}", statement("select id from chats")));
    assert_eq!(admin, ["server/store/documents: Admin::f accesses another table"]);
}

#[test]
fn unlisted_callers_of_the_wide_views_are_found() {
    let of = |path: &str, source: &str| violations(&[(path.to_owned(), source.to_owned())]);
    let source = "fn f(tx: &mut Tx) { tx.admin().find_person(id); tx . engine().purge(due); }";
    assert_eq!(
        of("server/profile/name", source),
        ["server/profile/name calls Tx::admin", "server/profile/name calls Tx::engine"]
    );
    assert_eq!(of("server/people/new", "fn f(tx: &mut Tx) { tx.admin(); }"), [""; 0]);
    assert_eq!(of("server/peoples", "fn f() { Tx::admin(tx); }"), ["server/peoples calls Tx::admin"]);
}
