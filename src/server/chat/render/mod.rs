//! TEMP
#[derive(Default)]
pub struct LiveText(String, bool);
pub struct Step {
    pub done: String,
    pub tail: String,
}
impl LiveText {
    pub fn push(&mut self, d: &str) {
        self.0.push_str(d)
    }
    pub fn text(&self) -> &str {
        &self.0
    }
    pub fn step(&mut self) -> Step {
        Step { done: String::new(), tail: render(&self.0) }
    }
}
pub fn diff_tail(_old: &str, new: &str) -> (u32, String) {
    (0, new.to_owned())
}
pub fn render(t: &str) -> String {
    format!("<p>{}</p>", t.replace('&', "&amp;").replace('<', "&lt;"))
}
pub fn render_reasoning(t: &str) -> String {
    render(t)
}
