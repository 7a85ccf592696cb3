//! Scripting languages and shells.

use super::{BACKTICK, BASE, DOUBLE, DOUBLE_LINES, Language, SINGLE, TRIPLE_DOUBLE, TRIPLE_SINGLE, VERBATIM};

const JS_KEYWORDS: &str = "as async await break case catch class const continue debugger default delete do else export extends finally for from function get if import in instanceof let new of return set static super switch this throw try typeof var void while with yield";

pub(super) const LANGUAGES: &[Language] = &[
    Language {
        names: &["python", "py", "python3", "py3", "pycon", "ipython", "gdscript", "starlark", "bzl"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE],
        keywords: "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield",
        types: "bool bytes complex dict float frozenset int list object set str tuple type",
        literals: "True False None self cls NotImplemented",
        prefixed_strings: true,
        decorators: true,
        ..BASE
    },
    Language {
        names: &["javascript", "js", "jsx", "mjs", "cjs", "node"],
        strings: &[DOUBLE, SINGLE, BACKTICK],
        keywords: JS_KEYWORDS,
        literals: "true false null undefined NaN Infinity",
        word_chars: "$",
        decorators: true,
        regexes: true,
        ..BASE
    },
    Language {
        names: &["typescript", "ts", "tsx", "mts", "cts"],
        strings: &[DOUBLE, SINGLE, BACKTICK],
        keywords: "abstract as asserts async await break case catch class const continue debugger declare default delete do else enum export extends finally for from function get if implements import in infer instanceof interface is keyof let namespace new of override private protected public readonly return satisfies set static super switch this throw try type typeof var void while with yield",
        types: "any bigint boolean never number object string symbol unknown",
        literals: "true false null undefined NaN Infinity",
        word_chars: "$",
        decorators: true,
        regexes: true,
        ..BASE
    },
    Language {
        names: &["php"],
        line_comments: &["//", "#"],
        strings: &[DOUBLE_LINES, super::string("'", "'", true, true)],
        keywords: "abstract and array as break callable case catch class clone const continue declare default do echo else elseif enum extends final finally fn for foreach function global goto if implements include include_once instanceof insteadof interface isset list match namespace new or print private protected public readonly require require_once return static switch throw trait try unset use var while xor yield",
        types: "bool float int iterable mixed never object string void",
        literals: "true false null TRUE FALSE NULL self parent",
        variables: true,
        ..BASE
    },
    Language {
        names: &["ruby", "rb", "crystal", "cr"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[DOUBLE_LINES, super::string("'", "'", true, true), BACKTICK],
        keywords: "alias and begin break case class def defined? do else elsif end ensure extend for if in include loop module next not or private protected public raise redo require require_relative rescue retry return self super then undef unless until when while yield attr_accessor attr_reader attr_writer",
        literals: "true false nil",
        word_chars: "?!",
        decorators: true,
        variables: true,
        symbols: true,
        ..BASE
    },
    Language {
        names: &["elixir", "ex", "exs", "erlang", "erl"],
        line_comments: &["#", "%"],
        block_comments: &[],
        strings: &[TRIPLE_DOUBLE, DOUBLE_LINES, SINGLE],
        keywords: "after alias and case catch cond def defimpl defmacro defmodule defp defprotocol defstruct do else end fn for if import in not or quote raise receive require rescue try unless unquote use when with",
        literals: "true false nil",
        word_chars: "?!",
        decorators: true,
        symbols: true,
        ..BASE
    },
    Language {
        names: &["perl", "pl", "raku"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[DOUBLE_LINES, super::string("'", "'", true, true)],
        keywords: "and chomp cmp defined die do each else elsif eq for foreach ge given grep gt if join keys last le local lt map my ne next no not or our package print printf push qw redo ref require return say scalar shift sort split sub unless until use values wantarray warn when while xor",
        literals: "undef",
        variables: true,
        ..BASE
    },
    Language {
        names: &["lua", "luau"],
        line_comments: &[],
        block_comments: &[("--[[", "]]")],
        strings: &[super::string("[[", "]]", false, true), DOUBLE, SINGLE],
        keywords: "and break do else elseif end for function goto if in local not or repeat return then until while",
        literals: "true false nil self",
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["r"],
        line_comments: &["#"],
        block_comments: &[],
        keywords: "break else for function if in next repeat return while library require",
        literals: "TRUE FALSE NULL NA NaN Inf",
        word_chars: ".",
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["julia", "jl"],
        line_comments: &["#"],
        block_comments: &[("#=", "=#")],
        nested_comments: true,
        strings: &[TRIPLE_DOUBLE, DOUBLE],
        keywords: "abstract baremodule begin break catch const continue do else elseif end export finally for function global if import in let local macro module mutable primitive quote return struct try type using where while",
        literals: "true false nothing missing",
        word_chars: "!",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["matlab", "octave"],
        line_comments: &["%", "#"],
        block_comments: &[],
        keywords: "break case catch classdef continue else elseif end for function global if methods otherwise parfor persistent properties return switch try while",
        literals: "true false",
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["lisp", "clojure", "clj", "cljs", "scheme", "racket", "elisp", "emacs-lisp", "common-lisp", "edn"],
        line_comments: &[";"],
        block_comments: &[("#|", "|#")],
        nested_comments: true,
        strings: &[DOUBLE_LINES],
        keywords: "begin case cond def define defmacro defmethod defn defn- defun defvar do doseq else fn for if if-let import lambda let let* letrec loop ns or and not progn quote recur require setf setq unless use when when-let",
        literals: "true false nil t",
        word_chars: "-*+!?<>=/",
        calls: false,
        symbols: true,
        ..BASE
    },
    Language {
        names: &["bash", "sh", "shell", "zsh", "fish", "ksh", "console", "terminal", "shellsession", "shell-session"],
        line_comments: &["# ", "#!", "#\n", "##"],
        block_comments: &[],
        strings: &[DOUBLE_LINES, VERBATIM],
        keywords: "alias break case cd continue do done echo elif else end esac eval exec exit export fi for function if in local printf read readonly return select set shift source sudo then trap unset until while",
        literals: "true false",
        word_chars: "-",
        capital_types: false,
        calls: false,
        variables: true,
        ..BASE
    },
    Language {
        names: &["powershell", "ps1", "pwsh", "ps"],
        line_comments: &["#"],
        block_comments: &[("<#", "#>")],
        strings: &[super::string("\"", "\"", false, true), VERBATIM],
        keywords: "begin break catch class continue do else elseif end enum exit filter finally for foreach from function if in param process return switch throw trap try until using while",
        literals: "$true $false $null",
        word_chars: "-",
        ignore_case: true,
        variables: true,
        ..BASE
    },
    Language {
        names: &["batch", "bat", "cmd", "dos"],
        line_comments: &["::", "REM ", "rem "],
        block_comments: &[],
        strings: &[DOUBLE],
        keywords: "call cd copy del do echo else endlocal exist exit for goto if in mkdir not off on pause rd set setlocal shift start",
        literals: "",
        ignore_case: true,
        capital_types: false,
        calls: false,
        ..BASE
    },
    Language {
        names: &["dockerfile", "docker", "containerfile"],
        line_comments: &["#"],
        block_comments: &[],
        keywords: "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR AS",
        literals: "",
        word_chars: "-",
        capital_types: false,
        calls: false,
        variables: true,
        ..BASE
    },
    Language {
        names: &["makefile", "make", "mk", "cmake"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[DOUBLE],
        keywords: "define else endef endif export ifdef ifeq ifndef ifneq include override unexport add_executable add_library cmake_minimum_required endforeach endfunction find_package foreach function if project set target_include_directories target_link_libraries",
        literals: "ON OFF TRUE FALSE",
        word_chars: "-",
        capital_types: false,
        variables: true,
        ..BASE
    },
    Language {
        names: &["vim", "viml", "vimscript"],
        line_comments: &["\" "],
        block_comments: &[],
        strings: &[DOUBLE, VERBATIM],
        keywords: "autocmd augroup call command else elseif endfor endfunction endif endwhile execute for function if in let map nnoremap noremap return set setlocal syntax unlet vnoremap while",
        literals: "",
        capital_types: false,
        ..BASE
    },
];
