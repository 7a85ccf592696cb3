//! Emphasis beside the punctuation of scripts without spaces between words, at every stage of an answer.

use super::{super::render, descendants, incremental::stream_in_chunks, name_of, parse, text_of};

/// The texts of all elements with this name, in order.
fn element_texts(html: &str, element: &str) -> Vec<String> {
    let tree = parse(html);
    descendants(&tree.document).iter().filter(|node| name_of(node).as_deref() == Some(element)).map(text_of).collect()
}

/// Texts, and their bold parts.
const BOLD: &[(&str, &[&str])] = &[
    ("この機能は**「自動保存」**と呼ばれます。", &["「自動保存」"]),
    ("这是**“先保存，再关闭”**的顺序，**请注意。**然后继续。", &["“先保存，再关闭”", "请注意。"]),
    ("이 기능은 **\"자동 저장\"**이라고 합니다.", &["\"자동 저장\""]),
    ("**자동 저장(Auto Save)**은 편리합니다.", &["자동 저장(Auto Save)"]),
    ("ฟังก์ชันนี้**“บันทึกอัตโนมัติ”**ใช้ง่าย", &["“บันทึกอัตโนมัติ”"]),
    ("ຟັງຊັນນີ້**“ບັນທຶກ”**ໃຊ້ງ່າຍ", &["“ບັນທຶກ”"]),
    ("使用**`foo`**方法和**[链接](https://a.example)**吧", &["foo", "链接"]),
    ("他说**“A”**和**（B）**以及**【C】**、**《D》**。", &["“A”", "（B）", "【C】", "《D》"]),
    ("价格是**$5**，不是**$7**！", &["$5", "$7"]),
    ("设**$x$**为实数，**\\(y\\)**也是。", &["x", "y"]),
    ("重点：**注意！**不要**（真的）**忘记", &["注意！", "（真的）"]),
    ("完成✅**「第一步」**👍**第二步！**好", &["「第一步」", "第二步！"]),
    ("⚠️**「注意」**请看⚠️**（A）**B", &["「注意」", "（A）"]),
    ("！︀**「注意」**请", &["「注意」"]),
    ("葛󠄀**（城）**市", &["（城）"]),
    ("**C#**や**F#**は**.NET**の言語", &["C#", "F#", ".NET"]),
    ("用**“Save”**Button保存", &["“Save”"]),
    ("これは__「強調」__です", &["「強調」"]),
    ("这是__重点__内容", &["重点"]),
    ("**中文**English**“引用”**English", &["中文", "“引用”"]),
    ("**甲：**乙、**丙：**丁", &["甲：", "丙："]),
    ("- **名前：**太郎\n- **住所（自宅）：**東京\n", &["名前：", "住所（自宅）："]),
    ("> **注：**这里\n> **“a”**也", &["注：", "“a”"]),
    ("| 甲 | 乙 |\n|---|---|\n| **“一”**号 | 是**（二）**吗 |\n", &["“一”", "（二）"]),
    ("# 第**「一」**章\n", &["「一」"]),
    ("**「全部」**", &["「全部」"]),
    ("强调**“跨\n行”**的字", &["“跨\n行”"]),
];

#[test]
fn marks_beside_any_punctuation_are_emphasis() {
    for (text, bold) in BOLD {
        let html = render(text);
        assert_eq!(element_texts(&html, "strong"), *bold, "{text}: {html}");
        assert!(!text_of(&parse(&html).document).contains("**"), "{text}: {html}");
    }
}

#[test]
fn emphasis_appears_as_soon_as_it_is_closed() {
    for (text, bold) in BOLD {
        let mark = if text.contains("__") { "__" } else { "**" };
        let ends: Vec<usize> = text.match_indices(mark).skip(1).step_by(2).map(|(at, _)| at + mark.len()).collect();
        for (at, c) in text.char_indices() {
            let part = &text[..at + c.len_utf8()];
            // Within a table cell or a mark, the meaning is not known yet.
            if part.ends_with(['*', '_', '|', '\n', ' ', '-']) || text.starts_with('|') {
                continue;
            }
            let closed = ends.iter().filter(|end| **end <= part.len()).count();
            let (done, tail) = stream_in_chunks(part, 1);
            assert_eq!(
                element_texts(&(done + &tail), "strong").get(..closed),
                Some(&bold[..closed].iter().map(|&b| b.to_owned()).collect::<Vec<_>>()[..]),
                "{part}"
            );
        }
    }
}

#[test]
fn other_marks_and_nested_marks_are_emphasis() {
    for (text, element, found) in [
        ("是*“强调”*的，*（也）*是", "em", &["“强调”", "（也）"][..]),
        ("これは_「強調」_です", "em", &["「強調」"]),
        ("已~~“删除”~~了，~~（旧）~~新", "del", &["“删除”", "（旧）"]),
        ("是***“都”***的", "strong", &["“都”"]),
        ("是***“都”***的", "em", &["“都”"]),
        ("这是**重要的*“内层”*文字。**然后", "em", &["“内层”"]),
        ("这是**重要的*“内层”*文字。**然后", "strong", &["重要的“内层”文字。"]),
        ("是~~**“都”**~~的", "del", &["“都”"]),
        ("是~~**“都”**~~的", "strong", &["“都”"]),
    ] {
        let html = render(text);
        assert_eq!(element_texts(&html, element), found, "{text}: {html}");
    }
}

#[test]
fn literal_marks_are_not_emphasis() {
    for text in [
        "snake_case 和 用户_名称_表",
        "请实现__init__方法和foo_bar_baz函数",
        "ใช้__init__ได้",
        "计算2*(3)*4和5 * 6",
        "通配符*（星号）",
        "转义\\*\\*“不是”\\*\\*粗体",
        "空格** “不是” **粗体",
        "约~20，（~30）到（~40）",
        "a**\"b\"**c",
        "snake_case_name, foo__init__bar and 2**(3)**4",
        "(~$20) and (~$30)",
    ] {
        let html = render(text);
        let shown = text_of(&parse(&html).document);
        assert_eq!(shown.trim_end(), text.replace('\\', ""), "{html}");
    }
}

#[test]
fn c10_code_and_addresses_beside_marks_are_unchanged() {
    let html = render(
        "代码`**「x」**文`和<https://a.example/**「x」**文>，[甲](https://b.example/**「x」**文 \"**「」**文\")",
    );
    assert_eq!(element_texts(&html, "code"), ["**「x」**文"]);
    assert!(html.contains("href=\"https://a.example/**「x」**文\""), "{html}");
    assert!(html.contains("href=\"https://b.example/**「x」**文\""), "{html}");
    let html = render("```\n文**「x」**文 $5**$\n```\n\n    文**「x」**文\n");
    assert_eq!(element_texts(&html, "code"), ["文**「x」**文 $5**$\n", "文**「x」**文\n"]);
}
