//! Compiled languages.

use super::{BACKTICK, BASE, DOUBLE, Language, LanguageKind, SINGLE, TRIPLE_DOUBLE, VERBATIM};

const C_KEYWORDS: &str = "auto break case const continue default do else enum extern for goto if inline register restrict return sizeof static struct switch typedef union volatile while";
const C_TYPES: &str = "bool char double float int long short signed unsigned void size_t ssize_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t FILE";

pub(super) const LANGUAGES: &[Language] = &[
    Language {
        names: &["rust", "rs"],
        nested_comments: true,
        strings: &[super::DOUBLE_LINES],
        keywords: "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return self static struct super trait type unsafe use where while yield macro_rules",
        types: "Self bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize String Vec Option Result Box",
        literals: "true false None Some Ok Err",
        prefixed_strings: true,
        attributes: true,
        lifetimes: true,
        ..BASE
    },
    Language {
        names: &["c", "h"],
        keywords: C_KEYWORDS,
        types: C_TYPES,
        literals: "true false NULL",
        prefixed_strings: true,
        preprocessor: true,
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["cpp", "c++", "cc", "cxx", "hpp", "arduino", "ino", "cuda", "cu", "objective-c", "objc"],
        keywords: "alignas auto break case catch class co_await co_return co_yield concept const consteval constexpr constinit const_cast continue decltype default delete do dynamic_cast else enum explicit export extern final for friend goto if inline mutable namespace new noexcept operator override private protected public register reinterpret_cast requires return sizeof static static_assert static_cast struct switch template this throw try typedef typename union using virtual volatile while",
        types: "bool char char8_t char16_t char32_t double float int long short signed unsigned void wchar_t size_t string vector map int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t",
        literals: "true false nullptr NULL",
        prefixed_strings: true,
        preprocessor: true,
        ..BASE
    },
    Language {
        names: &["csharp", "c#", "cs"],
        keywords: "abstract as async await base break case catch checked class const continue default delegate do else enum event explicit extern finally fixed for foreach get goto if implicit in init interface internal is lock namespace new operator out override params partial private protected public readonly record ref return sealed set sizeof stackalloc static struct switch this throw try typeof unchecked unsafe using value var virtual volatile when where while with yield",
        types: "bool byte char decimal double dynamic float int long nint nuint object sbyte short string uint ulong ushort void",
        preprocessor: true,
        ..BASE
    },
    Language {
        names: &["java"],
        strings: &[TRIPLE_DOUBLE, DOUBLE, SINGLE],
        keywords: "abstract assert break case catch class continue default do else enum extends final finally for if implements import instanceof interface native new non-sealed package permits private protected public record return sealed static strictfp super switch synchronized this throw throws transient try var volatile while yield",
        types: "boolean byte char double float int long short void",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["kotlin", "kt", "kts"],
        nested_comments: true,
        strings: &[TRIPLE_DOUBLE, DOUBLE, SINGLE],
        keywords: "abstract actual annotation as break by catch class companion const constructor continue crossinline data do else enum expect external final finally for fun get if import in infix init inline inner interface internal is lateinit noinline object open operator out override package private protected public reified return sealed set super suspend tailrec this throw try typealias val var vararg when where while",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["scala", "sc"],
        nested_comments: true,
        strings: &[TRIPLE_DOUBLE, DOUBLE, SINGLE],
        keywords: "abstract case catch class def do else enum extends extension final finally for given if implicit import lazy match new object override package private protected return sealed super then this throw trait try type using val var while with yield",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["swift"],
        nested_comments: true,
        strings: &[TRIPLE_DOUBLE, DOUBLE],
        keywords: "actor any as associatedtype async await break case catch class continue convenience default defer deinit do else enum extension fallthrough fileprivate final for func get guard if import in init inout internal is lazy let mutating nonisolated open operator override private protocol public repeat required rethrows return self set some static struct subscript super switch throw throws try typealias unowned var weak where while",
        types: "Self Any Bool Character Double Float Int String UInt Void",
        literals: "true false nil",
        decorators: true,
        preprocessor: true,
        ..BASE
    },
    Language {
        names: &["go", "golang"],
        strings: &[DOUBLE, SINGLE, super::string("`", "`", false, true)],
        keywords: "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var",
        types: "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr",
        literals: "true false nil iota",
        ..BASE
    },
    Language {
        names: &["zig"],
        block_comments: &[],
        keywords: "addrspace align allowzero and anyframe anytype asm async await break callconv catch comptime const continue defer else enum errdefer error export extern fn for if inline noalias nosuspend opaque or orelse packed pub resume return struct suspend switch test threadlocal try union unreachable usingnamespace var volatile while",
        types: "bool void type anyerror noreturn f16 f32 f64 f128 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize",
        literals: "true false null undefined",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["dart"],
        strings: &[TRIPLE_DOUBLE, super::TRIPLE_SINGLE, DOUBLE, SINGLE],
        keywords: "abstract as assert async await base break case catch class const continue covariant default deferred do else enum export extends extension external factory final finally for get hide if implements import in interface is late library mixin new on operator part required rethrow return sealed set show static super switch sync this throw try typedef var when while with yield",
        types: "bool double dynamic int num void",
        decorators: true,
        ..BASE
    },
    Language {
        names: &["haskell", "hs", "elm", "purescript"],
        line_comments: &["--"],
        block_comments: &[("{-", "-}")],
        nested_comments: true,
        strings: &[DOUBLE],
        keywords: "as case class data deriving do else exposing family forall foreign if import in infix infixl infixr instance let module newtype of port qualified then type where",
        literals: "True False Nothing Just",
        word_chars: "'",
        calls: false,
        ..BASE
    },
    Language {
        names: &["ocaml", "ml", "fsharp", "f#", "fs"],
        line_comments: &["//"],
        block_comments: &[("(*", "*)")],
        nested_comments: true,
        strings: &[TRIPLE_DOUBLE, DOUBLE],
        keywords: "and as assert async begin class constraint do done downto else end exception external for fun function functor if in include inherit initializer lazy let match member method module mutable namespace new nonrec object of open or private rec sig struct then to try type use val virtual when while with yield",
        types: "bool char float int list option string unit",
        literals: "true false None Some",
        word_chars: "'",
        calls: false,
        ..BASE
    },
    Language {
        names: &["pascal", "delphi"],
        block_comments: &[("{", "}"), ("(*", "*)")],
        strings: &[VERBATIM],
        keywords: "and array as begin case class const constructor destructor div do downto else end except finally for function if implementation in inherited interface is mod not object of or private procedure program property protected public raise record repeat set shl shr then to try type unit until uses var while with xor",
        types: "boolean byte char double integer longint real single string word",
        literals: "true false nil",
        ignore_case: true,
        ..BASE
    },
    Language {
        names: &["fortran", "f90", "f95"],
        line_comments: &["!"],
        block_comments: &[],
        keywords: "allocatable allocate call case contains cycle deallocate dimension do else elseif end enddo endif exit function if implicit in inout intent interface module none only out parameter pointer print program pure read recursive result return select stop subroutine target then type use where while write",
        types: "character complex integer logical real",
        literals: ".true. .false.",
        ignore_case: true,
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["asm", "assembly", "nasm", "x86asm", "s"],
        line_comments: &[";", "//"],
        keywords: "mov lea push pop call ret jmp je jne jz jnz jg jge jl jle ja jb cmp test add sub mul imul div idiv inc dec and or xor not shl shr sar nop int syscall ldr str b bl beq bne movz movk section global extern db dw dd dq resb resq equ",
        types: "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 eax ebx ecx edx esi edi ebp esp al ah bl cl dl",
        literals: "",
        word_chars: ".",
        ignore_case: true,
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["verilog", "systemverilog", "sv", "v"],
        strings: &[DOUBLE],
        keywords: "always always_comb always_ff assign begin case default else end endcase endfunction endmodule for function generate genvar if initial inout input localparam module negedge output parameter posedge task while",
        types: "bit integer logic real reg signed wire",
        literals: "",
        ..BASE
    },
    Language {
        names: &["solidity", "sol"],
        keywords: "abstract address anonymous as break calldata catch constant constructor continue contract delete do else emit enum event external fallback for function if immutable import indexed interface internal is library mapping memory modifier new override payable pragma private public pure receive return returns revert storage struct super this throw try type unchecked using view virtual while",
        types: "bool bytes bytes32 int int256 string uint uint8 uint256",
        ..BASE
    },
    Language {
        names: &["proto", "protobuf"],
        keywords: "enum extend extensions import message oneof option optional package public repeated required reserved returns rpc service stream syntax to",
        types: "bool bytes double fixed32 fixed64 float int32 int64 map sint32 sint64 string uint32 uint64",
        ..BASE
    },
    Language {
        names: &["glsl", "hlsl", "wgsl", "shader"],
        keywords: "attribute break case const continue discard do else fn for if in inout layout let out precision return struct switch uniform var varying while",
        types: "bool float int mat2 mat3 mat4 sampler2D uint vec2 vec3 vec4 void f32 i32 u32",
        preprocessor: true,
        decorators: true,
        ..BASE
    },
    Language {
        names: &["nix"],
        kind: LanguageKind::Code,
        line_comments: &["#"],
        strings: &[super::string("''", "''", false, true), super::DOUBLE_LINES],
        keywords: "assert else if in inherit let or rec then with import",
        word_chars: "-'",
        capital_types: false,
        ..BASE
    },
    Language {
        names: &["graphql", "gql"],
        line_comments: &["#"],
        block_comments: &[],
        strings: &[TRIPLE_DOUBLE, DOUBLE],
        keywords: "directive enum extend fragment implements input interface mutation on query repeatable scalar schema subscription type union",
        decorators: true,
        variables: true,
        ..BASE
    },
    Language {
        names: &["hcl", "terraform", "tf"],
        line_comments: &["#", "//"],
        strings: &[DOUBLE, BACKTICK],
        keywords: "data dynamic for for_each if in locals module output provider resource terraform variable",
        types: "any bool list map number object set string",
        word_chars: "-",
        capital_types: false,
        ..BASE
    },
];
