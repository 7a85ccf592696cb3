//! Data formats, markup and query languages.

use super::{BASE, DOUBLE, Language, LanguageKind, SINGLE, VERBATIM};

pub(super) const LANGUAGES: &[Language] = &[
    Language {
        names: &["json", "jsonc", "json5", "jsonl", "ndjson", "geojson"],
        keywords: "",
        capital_types: false,
        calls: false,
        string_keys: true,
        ..BASE
    },
    Language { names: &["yaml", "yml"], kind: LanguageKind::Yaml, ..BASE },
    Language {
        names: &["toml", "ini", "conf", "cfg", "properties", "env", "dotenv", "editorconfig", "desktop", "systemd"],
        kind: LanguageKind::Keyed,
        ..BASE
    },
    Language { names: &["diff", "patch", "udiff"], kind: LanguageKind::Diff, ..BASE },
    Language {
        names: &[
            "html",
            "htm",
            "xml",
            "svg",
            "xhtml",
            "vue",
            "svelte",
            "astro",
            "rss",
            "plist",
            "mathml",
            "xsl",
            "xslt",
            "jinja",
            "handlebars",
            "hbs",
        ],
        kind: LanguageKind::Markup,
        ..BASE
    },
    Language {
        names: &["sql", "mysql", "postgres", "postgresql", "psql", "sqlite", "plsql", "tsql", "duckdb"],
        line_comments: &["--", "#"],
        strings: &[VERBATIM, super::string("\"", "\"", false, false), super::string("`", "`", false, false)],
        keywords: "add all alter analyze and as asc begin between by cascade case check column commit conflict constraint create cross current database default delete desc distinct do drop else end except exists explain foreign from full function grant group having if ilike in index inner insert intersect into is join key left lateral like limit natural not nothing of offset on or order outer over partition primary procedure recursive references returning revoke right rollback row rows schema select set table then to transaction trigger truncate union unique update using values view when where window with",
        types: "bigint blob bool boolean bytea char date datetime decimal double float int integer interval json jsonb numeric real serial smallint text time timestamp timestamptz tinyint uuid varchar",
        literals: "true false null",
        ignore_case: true,
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["css", "scss", "sass", "less", "postcss"],
        line_comments: &["// "],
        keywords: "!important and from not only or through to",
        types: "",
        literals: "auto block none inherit initial unset flex grid inline absolute relative fixed sticky hidden visible solid center bold",
        word_chars: "-",
        capital_types: false,
        decorators: true,
        variables: true,
        ..BASE
    },
    Language {
        names: &["tex", "latex", "bibtex", "bib"],
        line_comments: &["%"],
        block_comments: &[],
        strings: &[],
        keywords: "\\begin \\end \\documentclass \\usepackage \\newcommand \\section \\subsection \\chapter \\title \\author \\maketitle \\item \\input \\include \\def",
        literals: "",
        word_chars: "\\",
        capital_types: false,
        calls: false,
        ..BASE
    },
    Language {
        names: &["nginx", "nginxconf", "caddy", "caddyfile", "apache"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[DOUBLE, SINGLE],
        keywords: "access_log add_header error_log events gzip http include index listen location log proxy_pass proxy_set_header return reverse_proxy rewrite root server server_name ssl_certificate ssl_certificate_key try_files upstream user worker_connections worker_processes",
        literals: "on off",
        word_chars: "-",
        capital_types: false,
        calls: false,
        variables: true,
        ..BASE
    },
    Language { names: &["prolog", "datalog"], line_comments: &["%"], keywords: "is mod not", ..BASE },
];
