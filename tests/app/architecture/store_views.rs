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

/// The tables that `Admin` accesses. None contains what a user has written. Of pictures, only the version is read.
const ADMIN_TABLES: &[&str] =
    &["audit", "deletions", "exports", "installation", "jobs", "links", "mails", "pictures", "sign_ins", "users"];

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
    ("server/auth/mail_requests", "works off the mails that someone requested"),
    ("server/chat/sweep", "interrupts runs whose worker is dead"),
    ("server/chat/titles", "writes the titles of chats whose first answer has ended"),
    ("server/chat/writer", "writes the runs of this process"),
    ("server/jobs", "runs jobs"),
    ("server/mail/outbox", "sends mails"),
    ("server/people/jobs", "an administrator retries a job"),
    ("server/privacy/export/job", "builds data exports"),
    ("server/privacy/purge", "deletes accounts"),
    ("server/privacy/retention", "deletes inactive chats"),
    ("server/secrets", "checks and rotates the keys"),
];

/// The functions of the store that use a wider view than their own, each with the reason.
const WIDE_CALLS_IN_STORE: &[(&str, &str)] = &[
    ("server/store/batches::run_in_batches", "works in batches for the program itself"),
    ("server/store/branches::copy_chat", "copies the texts of messages that were copied before"),
    ("server/store/chats::remove_chats_deleted_before", "retention"),
    ("server/store/deletions::withdraw_deletion", "the job has the id of the owner"),
    ("server/store/expiry::delete_expired", "expiry"),
    ("server/store/exports::remove_expired_exports", "expiry"),
    ("server/store/factor_removals::delete_factor_removal", "the job has the id of the owner"),
    ("server/store/jobs::give_up_job", "the subject of a job that an administrator gives up"),
    ("server/store/messages::insert_message", "writes the text of the inserted message"),
    ("server/store/mod::check_write", "writes a row of no user"),
    ("server/store/purge_batches::delete_legacy_sessions", "deletes accounts"),
    ("server/store/purge_batches::purge_large_tables", "deletes accounts"),
    ("server/store/runs::request_stop", "a run that was found by its owner before"),
    ("server/store/sign_ins::delete_ended_sign_ins", "expiry"),
];

/// The modules of the store that only tests contain.
const TEST_MODULES: &[&str] = &["server/store/run_properties"];

const VIEWS: &[&str] = &["Tx", "Owned", "Admin", "Engine"];

/// What the functions outside the views count as. Like plain `Tx`, they access only [`TX_TABLES`].
const OUTSIDE: &str = "Store";

/// A function of the store: a method of `Tx` or of one of its views, or any other.
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

/// The functions of a file, without those of its tests.
fn methods(tokens: &[String]) -> Vec<Method<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "impl" => {
                let open = position(tokens, at, "{");
                let view = VIEWS.iter().find(|view| tokens[at..open].iter().any(|token| token == *view));
                let end = after_group(tokens, open);
                at = position(tokens, open, "fn");
                while at < end {
                    let (method, after) = method(tokens, at, view.unwrap_or(&OUTSIDE));
                    found.push(method);
                    at = position(tokens, after, "fn");
                }
                at = end;
            }
            // Not the type of a function.
            "fn" if tokens.get(at + 1).is_some_and(|token| token != "(") => {
                let (function, after) = method(tokens, at, OUTSIDE);
                found.push(function);
                at = after;
            }
            "mod"
                if tokens.get(at + 2).is_some_and(|token| token == "{")
                    && !tokens[..at].concat().ends_with("#[cfg(test)]") =>
            {
                at += 3;
            }
            "{" => at = after_group(tokens, at),
            _ => at += 1,
        }
    }
    found
}

/// The function whose `fn` is at this position, and the position after it.
fn method<'a>(tokens: &'a [String], at: usize, view: &'static str) -> (Method<'a>, usize) {
    let parameters = position(tokens, at, "(");
    let after_parameters = after_group(tokens, parameters);
    // A function of a trait can have no body.
    let body = (after_parameters..tokens.len()).find(|&at| matches!(tokens[at].as_str(), "{" | ";"));
    let body = body.unwrap_or(tokens.len());
    let after = after_group(tokens, body);
    let (parameters, body) = (&tokens[parameters..after_parameters], &tokens[body..after]);
    (Method { view, name: &tokens[at + 1], parameters, body }, after)
}

/// A rule of a macro.
struct Rule<'a> {
    parameters: Vec<&'a str>,
    body: &'a [String],
}

type Macros<'a> = BTreeMap<&'a str, Vec<Rule<'a>>>;

/// The macros that a file defines.
fn macros(tokens: &[String]) -> Macros<'_> {
    let mut found = Macros::new();
    for at in (0..tokens.len()).filter(|&at| tokens[at] == "macro_rules") {
        let rules = found.entry(tokens[at + 2].as_str()).or_default();
        let (mut pattern, end) = (at + 4, after_group(tokens, at + 3) - 1);
        while pattern < end {
            let arrow = after_group(tokens, pattern);
            let after = after_group(tokens, arrow + 2);
            let names = tokens[pattern..arrow].windows(2).filter(|pair| pair[0] == "$");
            let parameters = names.map(|pair| pair[1].as_str()).collect();
            rules.push(Rule { parameters, body: &tokens[arrow + 2..after] });
            pattern = after + 1;
        }
    }
    found
}

impl Rule<'_> {
    /// The body with these arguments.
    fn expand(&self, arguments: &[&[String]]) -> Vec<String> {
        let mut expanded = Vec::new();
        let mut body = self.body.iter();
        while let Some(token) = body.next() {
            if token != "$" {
                expanded.push(token.clone());
                continue;
            }
            let name = body.next();
            let argument = self.parameters.iter().position(|parameter| Some(*parameter) == name.map(String::as_str));
            expanded.extend(argument.into_iter().flat_map(|at| arguments[at]).cloned());
        }
        expanded
    }
}

/// The arguments between these brackets, which are separated by commas.
fn arguments(tokens: &[String]) -> Vec<&[String]> {
    let (mut arguments, mut begin, mut here) = (Vec::new(), 0, 0);
    while here < tokens.len() {
        match tokens[here].as_str() {
            "(" | "[" | "{" => here = after_group(tokens, here),
            "," => {
                arguments.push(&tokens[begin..here]);
                here += 1;
                begin = here;
            }
            _ => here += 1,
        }
    }
    if begin < tokens.len() {
        arguments.push(&tokens[begin..]);
    }
    arguments
}

/// The content of a string literal.
fn content(token: &str) -> Option<&str> {
    token.strip_prefix('"').map(|rest| rest.trim_end_matches('"'))
}

/// The string literals of an expression: its own, and those of the macros and of the variables above it that it names.
fn text_of(expression: &[String], above: &[String], macros: &Macros<'_>) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < expression.len() {
        let token = &expression[at];
        at += 1;
        if let Some(literal) = content(token) {
            text.push_str(literal);
        } else if let Some(rules) = macros.get(token.as_str()) {
            let end = after_group(expression, at + 1);
            let arguments = arguments(&expression[at + 2..end - 1]);
            if let Some(rule) = rules.iter().find(|rule| rule.parameters.len() == arguments.len()) {
                text.push_str(&text_of(&rule.expand(&arguments), above, macros));
            }
            at = end;
        } else if let Some(at) = (1..above.len()).rev().find(|&at| above[at - 1] == "let" && above[at] == *token) {
            let end = position(above, at, ";");
            text.push_str(&text_of(&above[at + 2..end], &above[..at - 1], macros));
        }
    }
    text
}

/// The statements that a method executes.
fn statements(body: &[String], macros: &Macros<'_>) -> Vec<Statement> {
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
        let arguments = arguments(&body[at + 3..after_group(body, at + 2) - 1]);
        let sql = arguments.get(sql_at).map(|sql| text_of(sql, &body[..at], macros)).unwrap_or_default();
        let binds = arguments.iter().skip(sql_at + 1).map(|bind| bind.concat()).collect();
        found.push(Statement { sql: sql.to_lowercase(), binds });
    }
    found
}

/// A word of a statement, with the number of parentheses around it.
type Word = (usize, String);

/// The words of a statement, each with the number of parentheses around it.
fn sql_words(sql: &str) -> Vec<Word> {
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
        // Not `extract(epoch from …)`.
        "from" => at == 0 || words[at - 1] != "epoch",
        "join" | "into" => true,
        "update" => at == 0 || words[at - 1] != "do",
        _ => false,
    };
    let named = (0..words.len()).filter(|&at| names_table(at)).filter_map(|at| words.get(at + 1));
    named.filter(|word| *word != "select").cloned().collect()
}

/// The words that end the conditions of a `where` or of a join.
const ENDS_OF_CONDITIONS: &[&str] = &[
    "cross",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "returning",
    "right",
    "where",
    "window",
];

/// Whether a statement accesses only rows of the owner. It inserts rows of the owner, or a condition that all its rows
/// must meet names the owner. The same applies to each part of a union and to each `with` query.
fn names_owner(statement: &Statement) -> bool {
    let owner = OwnerColumns { tables: tables(&statement.sql), binds: &statement.binds };
    let words = sql_words(&statement.sql);
    let is_word = |words: &[Word], word: &str| words.first().is_some_and(|(depth, first)| *depth == 0 && first == word);
    if !is_word(&words, "with") {
        return owner.guards(&words, &[], None);
    }
    let is_recursive = is_word(&words[1..], "recursive");
    let mut rest = &words[if is_recursive { 2 } else { 1 }..];
    let mut guarded = Vec::new();
    // The query of each name is the group after `as`.
    while let Some(begin) = rest.iter().position(|(depth, word)| *depth == 0 && word == "as").map(|at| at + 1) {
        let end = rest[begin..].iter().position(|(depth, _)| *depth == 0).map_or(rest.len(), |length| begin + length);
        let name = rest[0].1.as_str();
        if !owner.guards(&rest[begin..end], &guarded, is_recursive.then_some(name)) {
            return false;
        }
        guarded.push(name);
        rest = &rest[end..];
        if !is_word(rest, ",") {
            return owner.guards(rest, &guarded, None);
        }
        rest = &rest[1..];
    }
    false
}

/// The words of a query outside its inner parentheses, with `()` for each of these, and the words in each of these.
fn outline(query: &[Word]) -> (Vec<&str>, Vec<&[Word]>) {
    let depth = query.iter().map(|(depth, _)| *depth).min().unwrap_or(0);
    let (mut outer, mut groups) = (Vec::new(), Vec::new());
    for run in query.chunk_by(|(one, _), (next, _)| *one > depth && *next > depth) {
        if run[0].0 > depth {
            outer.push("()");
            groups.push(run);
        } else {
            outer.push(run[0].1.as_str());
        }
    }
    (outer, groups)
}

/// Which columns and values of a statement name the owner.
struct OwnerColumns<'a> {
    tables: BTreeSet<String>,
    binds: &'a [String],
}

impl OwnerColumns<'_> {
    fn is_column(&self, column: &str) -> bool {
        let name = column.rsplit('.').next().unwrap_or(column);
        let is_here = |table: &str| self.tables.contains(table);
        OWNER_COLUMNS.iter().any(|(owner, only)| *owner == name && only.is_none_or(is_here))
    }

    fn is_value(&self, placeholder: &str) -> bool {
        let number = placeholder.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| self.binds.get(number.checked_sub(1)?)).is_some_and(|bind| bind == "self.owner")
    }

    /// Whether all parts of a query access only rows of the owner, or of these `with` queries. All but the first may
    /// also read `recursive`, which is the query itself.
    fn guards(&self, query: &[Word], guarded: &[&str], recursive: Option<&str>) -> bool {
        let depth = query.iter().map(|(depth, _)| *depth).min().unwrap_or(0);
        let is_set_operator =
            |(at, word): &Word| *at == depth && matches!(word.as_str(), "union" | "intersect" | "except");
        query.split(is_set_operator).enumerate().all(|(at, part)| {
            let guarded: Vec<&str> = guarded.iter().copied().chain(recursive.filter(|_| at > 0)).collect();
            self.guards_part(part, &guarded)
        })
    }

    fn guards_part(&self, part: &[Word], guarded: &[&str]) -> bool {
        let (words, groups) = outline(part);
        match words.strip_prefix(&["all"]).unwrap_or(&words) {
            ["insert", rest @ ..] => self.guards_insert(rest, &groups),
            // A part in parentheses.
            ["()"] => self.guards(groups[0], guarded, None),
            ["select", rest @ ..] if self.guards_sources(rest, guarded) => true,
            rest => rest.iter().position(|word| *word == "where").is_some_and(|at| self.is_named_in(&rest[at + 1..])),
        }
    }

    /// Whether the conditions at the beginning of these words are all required, and one of them names the owner.
    fn is_named_in(&self, words: &[&str]) -> bool {
        let end = words.iter().position(|word| ENDS_OF_CONDITIONS.contains(word)).unwrap_or(words.len());
        let conditions = &words[..end];
        let names_owner = |condition: &[&str]| match condition {
            [column, "=", value] => self.is_column(column) && self.is_value(value),
            _ => false,
        };
        !conditions.iter().any(|word| matches!(*word, "or" | "case"))
            && conditions.split(|word| *word == "and").any(names_owner)
    }

    /// Whether a query reads only from guarded queries, and from tables whose join names the owner.
    fn guards_sources(&self, words: &[&str], guarded: &[&str]) -> bool {
        let Some(from) = words.iter().position(|word| *word == "from") else { return false };
        let sources = words[from + 1..].split(|word| *word == "where").next().unwrap_or_default();
        if sources.iter().any(|word| matches!(*word, "," | "right" | "full")) {
            return false;
        }
        sources.split(|word| *word == "join").enumerate().all(|(at, source)| {
            let condition = source.iter().position(|word| *word == "on").filter(|_| at > 0);
            source.first().is_some_and(|name| guarded.contains(name))
                || condition.is_some_and(|on| self.is_named_in(&source[on + 1..]))
        })
    }

    /// Whether each inserted row names the owner, and a row that already exists is only replaced if it is the owner's.
    fn guards_insert(&self, words: &[&str], groups: &[&[Word]]) -> bool {
        let (["into", _, "()", source, rest @ ..], [columns, groups @ ..]) = (words, groups) else { return false };
        let (columns, _) = outline(columns);
        let is_owner = |pair: (&[&str], &[&str])| match pair {
            ([column], [value]) => {
                self.is_column(column) && (self.is_value(value) || *source == "select" && self.is_column(value))
            }
            _ => false,
        };
        if *source == "select" {
            // The rows that a query reads. It reads those of the owner, and inserts them as theirs.
            let values = rest.split(|word| *word == "from").next().unwrap_or_default();
            let condition = rest.iter().position(|word| *word == "where");
            return condition.is_some_and(|at| self.is_named_in(&rest[at + 1..]))
                && columns.split(|word| *word == ",").zip(values.split(|word| *word == ",")).any(is_owner);
        }
        if *source != "values" {
            return false;
        }
        let names_owner = |row: &&[Word]| {
            let (values, _) = outline(row);
            columns.split(|word| *word == ",").zip(values.split(|word| *word == ",")).any(is_owner)
        };
        let end = rest.iter().position(|word| !matches!(*word, "()" | ",")).unwrap_or(rest.len());
        let (values, rest) = rest.split_at(end);
        let (rows, groups) = groups.split_at(values.iter().filter(|word| **word == "()").count());
        let is_of_owner = match rest {
            []
            | ["returning", ..]
            | ["on", "conflict", "do", "nothing", ..]
            | ["on", "conflict", "()", "do", "nothing", ..] => true,
            ["on", "conflict", "()", "do", "update", rest @ ..] => {
                outline(groups[0]).0.iter().any(|column| self.is_column(column))
                    || rest.iter().position(|word| *word == "where").is_some_and(|at| self.is_named_in(&rest[at + 1..]))
            }
            _ => false,
        };
        is_of_owner && !rows.is_empty() && rows.iter().all(names_owner)
    }
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

/// The calls of `Tx::admin` and `Tx::engine` in these tokens, by the name of the method.
fn wide_calls(tokens: &[String]) -> impl Iterator<Item = &str> {
    tokens.windows(3).filter_map(|call| {
        let is_view = matches!(call[1].as_str(), "admin" | "engine");
        let is_call = matches!(call[0].as_str(), "." | "::") && matches!(call[2].as_str(), "(" | ")" | ",");
        (is_view && is_call).then_some(call[1].as_str())
    })
}

/// The calls of `Tx::admin` and `Tx::engine` outside the store: the name of the method, and the path of the module.
fn view_calls(files: &[(String, Vec<String>)]) -> Vec<(&str, &str)> {
    let outside = files.iter().filter(|(path, _)| !path.starts_with("server/store/"));
    outside.flat_map(|(path, tokens)| wide_calls(tokens).map(|method| (method, path.as_str()))).collect()
}

/// The modules of the store, without those of tests.
fn store_files(files: &[(String, Vec<String>)]) -> impl Iterator<Item = &(String, Vec<String>)> {
    files.iter().filter(|(path, _)| path.starts_with("server/store/") && !TEST_MODULES.contains(&path.as_str()))
}

/// The calls of `Tx::admin` and `Tx::engine` in the store: the name of the method, and the path of the function.
fn store_calls(files: &[(String, Vec<String>)]) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    for (path, tokens) in store_files(files) {
        for Method { name, body, .. } in methods(tokens) {
            found.extend(wide_calls(body).map(|method| (method, format!("{path}::{name}"))));
        }
    }
    found
}

/// What contradicts the rules in these sources, which are given by their path below `src/`.
fn violations(sources: &[(String, String)]) -> Vec<String> {
    let files: Vec<_> = sources.iter().map(|(path, source)| (path.clone(), tokens_and_strings(source))).collect();
    let with_user = structs_with_user(&files);
    let mut found = Vec::new();
    for (path, tokens) in store_files(&files) {
        let macros = macros(tokens);
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
                    "Tx" | OUTSIDE if statement.sql.is_empty() || forbidden(TX_TABLES) => add("accesses another table"),
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
                // Outside the views, settings of a connection are read and set.
                if view == OUTSIDE && tables(&literal).is_empty() {
                    continue;
                }
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
    for (method, path) in store_calls(&files) {
        if WIDE_CALLS_IN_STORE.iter().all(|(function, _)| *function != path) {
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
    let calls = store_calls(&files);
    for (function, reason) in WIDE_CALLS_IN_STORE {
        assert!(calls.iter().any(|(_, path)| path == function), "{function} uses no wider view: {reason}");
    }
    for module in TEST_MODULES {
        assert!(files.iter().any(|(path, _)| path == module), "{module} does not exist");
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
        ("insert into documents (owner_id, title) values ($1, 'x'), ($1, 'y') on conflict do nothing", "self.owner"),
        (
            "insert into documents (id, owner_id) values ($2, $1) on conflict (id, owner_id) do update set title = 'x'",
            "self.owner, id",
        ),
        (
            "insert into documents (id, owner_id) values ($2, $1)
             on conflict (id) do update set title = 'x' where documents.owner_id = $1 returning id",
            "self.owner, id",
        ),
        (
            "insert into documents (id, owner_id) select $2, owner_id from chats where owner_id = $1 and id = $3",
            "self.owner, id, chat",
        ),
        (
            "select id from documents where owner_id = $1 union all select id from chats where owner_id = $1",
            "self.owner",
        ),
        (
            "with recursive p as (select id from n where owner_id = $1 union all
               select n.id from p join n on n.parent = p.id and n.owner_id = $1 where a or b) select id from p",
            "self.owner",
        ),
        (
            "with a as (select id from n where owner_id = $1), b as (select id from a) select id from b where x or y",
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
        ("insert into documents (id, owner_id) select id, owner_id from chats where id = $1", "chat"),
        ("insert into documents (id, owner_id) select owner_id, id from chats where owner_id = $1", "self.owner"),
        ("insert into documents (owner_id, title) values ($1, $2)", "other, self.owner"),
        ("insert into documents (owner_id, title) values ($1, 'x'), ($2, 'y')", "self.owner, other"),
        ("insert or replace into documents (id, owner_id) values ($2, $1)", "self.owner, id"),
        (
            "insert into documents (id, owner_id) values ($2, $1) on conflict (id) do update set title = 'x'",
            "self.owner, id",
        ),
        (
            "insert into documents (id, owner_id) values ($2, $1)
             on conflict (id) do update set title = 'x' where documents.owner_id = $1 or true",
            "self.owner, id",
        ),
        (
            "select id from documents where owner_id = $1 union all select id from documents where id = $2",
            "self.owner, id",
        ),
        ("select id from documents where id = $2 union select id from documents where owner_id = $1", "self.owner, id"),
        (
            "(select id from documents where owner_id = $1) union all (select id from documents where id = $2)",
            "self.owner, id",
        ),
        ("select id from documents where not owner_id = $1", "self.owner"),
        ("select id from documents where id = $2 and not owner_id = $1", "self.owner, id"),
        ("select id from documents where owner_id = $1 is not true", "self.owner"),
        (
            "with recursive p as (select id from n where owner_id = $1 union all
               select n.id from n where a or b) select id from p",
            "self.owner",
        ),
        (
            "with recursive p as (select id from n where id = $2 union all
               select n.id from p join n on n.parent = p.id and n.owner_id = $1) select id from p",
            "self.owner, id",
        ),
        (
            "with recursive p as (select id from n where owner_id = $1 union all
               select n.id from p right join n on n.owner_id = $1) select id from p",
            "self.owner",
        ),
        (
            "with recursive p as (select id from n where owner_id = $1) select id from documents where id = $2",
            "self.owner, id",
        ),
        (
            "with p as (select id from n where owner_id = $1) select d.id from p, documents d where d.id = $2",
            "self.owner, id",
        ),
        ("with p as (select id from n where owner_id = $1) delete from documents where id = $2", "self.owner, id"),
    ] {
        let expected = ["server/store/documents: Owned::f does not name the owner"];
        assert_eq!(in_owned(sql, binds), expected, "{sql} with {binds}");
    }
    let unreadable = "impl Owned<'_> { fn f(&mut self) { execute!(self.tx, column.list, self.owner)?; } }";
    assert_eq!(in_store(unreadable), ["server/store/documents: Owned::f does not name the owner"]);
    let unchecked = "impl Owned<'_> { fn f(&mut self) { sqlx::query(\"delete from documents\"); } }";
    assert_eq!(in_store(unchecked), ["server/store/documents: Owned::f has a statement that is not checked"]);
    let outside = ["server/store/documents: Store::f accesses another table"];
    let function = "async fn f(tx: &mut Tx, id: Id) { execute!(tx, \"delete from documents where id = $1\", id)?; }";
    assert_eq!(in_store(function), outside);
    assert_eq!(in_store(&format!("mod inner {{ impl Store {{ {function} }} }}")), outside);
    assert_eq!(in_store(&format!("#[cfg(test)] mod tests {{ {function} }}")), [""; 0]);
    let wide =
        "impl Owned<'_> { fn f(&mut self, id: Id) { self.tx.engine().purge(id); } fn g(self) { self.tx.admin(); } }";
    let calls = ["server/store/documents::f calls Tx::engine", "server/store/documents::g calls Tx::admin"];
    assert_eq!(in_store(wide), calls);
}

#[test]
fn sql_in_variables_and_macros_is_found() {
    let source = r#"
        macro_rules! select { ($rest:literal) => { concat!("select id from d where d.owner_id = $1 ", $rest) }; }
        impl Owned<'_> {
            fn f(&mut self) { let sql = select!("and id = $2"); fetch_all!(self.tx, (A, B), sql, self.owner, id)?; }
            fn g(&mut self) { let sql = "select id from d where id = $1"; fetch_all!(self.tx, (A,), sql, id)?; }
            fn h(&mut self) { fetch_all!(self.tx, (A,), select!("or id = $2"), self.owner, id)?; }
        }"#;
    let of = |method: &str| format!("server/store/documents: Owned::{method} does not name the owner");
    assert_eq!(in_store(source), [of("g"), of("h")]);
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
