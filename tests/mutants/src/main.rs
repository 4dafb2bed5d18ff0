//! Builds a copy of the sources that contains every mutant behind a switch, so that one build serves to test them all.
//!
//! `mutants LIST DROPPED ROOT`: LIST is the output of `cargo mutants --list --json`, with the span and the replacement
//! of each mutant. DROPPED lists the numbers of mutants that do not compile, one a line. The sources below ROOT are
//! rewritten. For each file it prints the byte range of each mutant's text as `NUMBER FILE START END`, and the numbers
//! of mutants for which no switch is possible as `NUMBER`.

use proc_macro2::LineColumn;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A mutant of the list.
struct Mutant {
    number: usize,
    genre: String,
    replacement: String,
    place: Range<usize>,
}

/// A part of a file that is rewritten, and its mutants.
struct Node {
    range: Range<usize>,
    mutants: Vec<usize>,
    shape: Shape,
}

enum Shape {
    /// Text inserted before the start of the range, which is empty.
    Before(String),
    /// The expression that replaces the range, for each mutant.
    Instead(Vec<String>),
    /// A match arm's pattern without a guard; the range ends where the pattern ends.
    Arm,
    /// A match guard: the replacement for each mutant.
    Guard(Vec<String>),
}

/// Converts line and column to a byte offset.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// `column` counts characters from 0.
    fn at(&self, line: usize, column: usize) -> usize {
        let start = self.starts[line - 1];
        start + self.text[start..].char_indices().nth(column).map_or(self.text.len() - start, |(at, _)| at)
    }

    fn range(&self, span: proc_macro2::Span) -> Range<usize> {
        let of = |place: LineColumn| self.at(place.line, place.column);
        of(span.start())..of(span.end())
    }
}

/// Collects the expressions and match arms that have mutants.
struct Finder<'a> {
    lines: &'a Lines<'a>,
    mutants: &'a [Mutant],
    /// Indices into `mutants` by the start of their spans.
    by_start: HashMap<usize, Vec<usize>>,
    nodes: Vec<Node>,
    /// Nesting depth of const contexts, which are evaluated at compile time.
    is_const: usize,
    /// The match being visited has another arm that catches what an arm disabled by its guard would.
    has_rest: bool,
}

impl Finder<'_> {
    fn take(&mut self, start: usize, genre: &str) -> Vec<usize> {
        let all = self.by_start.get(&start).cloned().unwrap_or_default();
        all.into_iter().filter(|index| self.mutants[*index].genre == genre).collect()
    }

    fn add(&mut self, range: Range<usize>, found: Vec<usize>, shape: Shape) {
        if !found.is_empty() && self.is_const == 0 {
            self.nodes.push(Node { range, mutants: found, shape });
        }
    }

    fn in_const(&mut self, visit: impl FnOnce(&mut Self)) {
        self.is_const += 1;
        visit(self);
        self.is_const -= 1;
    }
}

fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// Whether an arm matches every value.
fn takes_all(arm: &syn::Arm) -> bool {
    let is_all = match &arm.pat {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(ident) => ident.subpat.is_none() && ident.ident.to_string().starts_with(char::is_lowercase),
        _ => false,
    };
    is_all && arm.guard.is_none()
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let op = self.lines.range(binary.op.span());
        let found = self.take(op.start, "BinaryOperator");
        if !has_let(&binary.left) && !has_let(&binary.right) {
            let (left, right) = (self.lines.range(binary.left.span()), self.lines.range(binary.right.span()));
            let text = self.lines.text;
            // `x as u64 < y` would begin generic arguments.
            let of = |index: &usize| {
                format!("({}) {} ({})", &text[left.clone()], self.mutants[*index].replacement, &text[right.clone()])
            };
            let instead = found.iter().map(of).collect();
            self.add(left.start..right.end, found, Shape::Instead(instead));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let op = self.lines.range(unary.op.span());
        let found = self.take(op.start, "UnaryOperator");
        let inner = self.lines.range(unary.expr.span());
        let instead = found.iter().map(|_| self.lines.text[inner.clone()].to_owned()).collect();
        self.add(op.start..inner.end, found, Shape::Instead(instead));
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.visit_expr(&expr.expr);
        for arm in &expr.arms {
            self.has_rest = expr.arms.iter().any(takes_all);
            self.visit_arm(arm);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let range = self.lines.range(arm.span());
        let pat = self.lines.range(arm.pat.span());
        let deleted = self.take(range.start, "MatchArm");
        match &arm.guard {
            Some((_, guard)) => {
                let place = self.lines.range(guard.span());
                let found = self.take(place.start, "MatchArmGuard");
                let mut instead: Vec<String> =
                    found.iter().map(|index| self.mutants[*index].replacement.clone()).collect();
                instead.extend(deleted.iter().map(|_| "false".to_owned()));
                if !has_let(guard) {
                    self.add(place, [found, deleted].concat(), Shape::Guard(instead));
                }
            }
            None if self.has_rest && !takes_all(arm) => self.add(pat.end..pat.end, deleted, Shape::Arm),
            None => {}
        }
        visit::visit_arm(self, arm);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.in_const(|finder| visit::visit_item_const(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.in_const(|finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.in_const(|finder| visit::visit_item_static(finder, item));
    }

    fn visit_type(&mut self, of_type: &'ast syn::Type) {
        self.in_const(|finder| visit::visit_type(finder, of_type));
    }

    fn visit_pat(&mut self, pat: &'ast syn::Pat) {
        self.in_const(|finder| visit::visit_pat(finder, pat));
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
        self.in_const(|finder| finder.visit_expr(&repeat.len));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_const = usize::from(item.sig.constness.is_some());
        self.is_const += is_const;
        visit::visit_item_fn(self, item);
        self.is_const -= is_const;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let is_const = usize::from(item.sig.constness.is_some());
        self.is_const += is_const;
        visit::visit_impl_item_fn(self, item);
        self.is_const -= is_const;
    }
}

/// Writes a file with its mutants, and records the range of each mutant's text.
struct Writer<'a> {
    text: &'a str,
    nodes: &'a [Node],
    mutants: &'a [Mutant],
    out: String,
    ranges: Vec<(usize, Range<usize>)>,
}

impl Writer<'_> {
    /// Writes the range with the nodes in it. Nodes are sorted so that outer ones come first.
    fn write(&mut self, range: Range<usize>, within: Range<usize>) {
        let (mut at, mut index) = (range.start, within.start);
        while index < within.end {
            let node = &self.nodes[index];
            let inner_end = (index + 1..within.end)
                .find(|next| self.nodes[*next].range.start >= node.range.end.max(node.range.start + 1))
                .unwrap_or(within.end);
            let end = if node.range.is_empty() { index + 1 } else { inner_end };
            self.out.push_str(&self.text[at..node.range.start]);
            self.node(index, index + 1..end);
            at = node.range.end;
            index = end;
        }
        self.out.push_str(&self.text[at..range.end]);
    }

    fn node(&mut self, index: usize, inner: Range<usize>) {
        let node = &self.nodes[index];
        let start = self.out.len();
        let numbers: Vec<usize> = node.mutants.iter().map(|mutant| self.mutants[*mutant].number).collect();
        match &node.shape {
            Shape::Before(text) => {
                let from = self.out.len();
                self.out.push_str(text);
                self.ranges.push((numbers[0], from..self.out.len()));
                return;
            }
            Shape::Arm => self.out.push_str(&format!(" if !crate::mutants::is({})", numbers[0])),
            Shape::Instead(texts) | Shape::Guard(texts) => {
                self.out.push('(');
                for (number, text) in numbers.iter().zip(texts) {
                    let from = self.out.len();
                    self.out.push_str(&format!("if crate::mutants::is({number}) {{ ({text}) }} else "));
                    self.ranges.push((*number, from..self.out.len()));
                }
                self.out.push_str("{ (");
                self.write(node.range.clone(), inner);
                self.out.push_str(") })");
            }
        }
        for number in numbers {
            self.ranges.push((number, start..self.out.len()));
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, list, dropped, root] = &arguments[..] else { panic!("mutants LIST DROPPED ROOT") };
    let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(list).unwrap()).unwrap();
    let dropped: HashSet<usize> =
        std::fs::read_to_string(dropped).unwrap_or_default().lines().map(|line| line.parse().unwrap()).collect();
    let mut files: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, mutant) in list.iter().enumerate().filter(|(number, _)| !dropped.contains(number)) {
        files.entry(mutant["file"].as_str().unwrap()).or_default().push(number);
    }
    for (file, numbers) in files {
        rewrite(root, file, &list, &numbers);
    }
}

fn rewrite(root: &str, file: &str, list: &[Value], numbers: &[usize]) {
    let path = format!("{root}/{file}");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = Lines::new(&text);
    let place = |place: &Value| {
        lines.at(place["line"].as_u64().unwrap() as usize, place["column"].as_u64().unwrap() as usize - 1)
    };
    let mutants: Vec<Mutant> = numbers
        .iter()
        .map(|number| {
            let of = &list[*number];
            Mutant {
                number: *number,
                genre: of["genre"].as_str().unwrap().to_owned(),
                replacement: of["replacement"].as_str().unwrap().to_owned(),
                place: place(&of["span"]["start"])..place(&of["span"]["end"]),
            }
        })
        .collect();
    let mut by_start: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, mutant) in mutants.iter().enumerate() {
        by_start.entry(mutant.place.start).or_default().push(index);
    }
    let mut finder =
        Finder { lines: &lines, mutants: &mutants, by_start, nodes: Vec::new(), is_const: 0, has_rest: false };
    finder.visit_file(&syn::parse_file(&text).unwrap());
    let mut nodes = finder.nodes;
    for (index, mutant) in mutants.iter().enumerate().filter(|(_, mutant)| mutant.genre == "FnValue") {
        let (at, Mutant { number, replacement, .. }) = (mutant.place.start, mutant);
        let before = format!("if crate::mutants::is({number}) {{ return {replacement}; }} ");
        nodes.push(Node { range: at..at, mutants: vec![index], shape: Shape::Before(before) });
    }
    // Outer nodes first, and text inserted before an expression before that expression.
    nodes.sort_by_key(|node| {
        (node.range.start, !matches!(node.shape, Shape::Before(_)), std::cmp::Reverse(node.range.end))
    });
    let mut writer = Writer { text: &text, nodes: &nodes, mutants: &mutants, out: String::new(), ranges: Vec::new() };
    writer.write(0..text.len(), 0..nodes.len());
    let written: HashSet<usize> =
        nodes.iter().flat_map(|node| node.mutants.iter().map(|index| mutants[*index].number)).collect();
    for (number, range) in &writer.ranges {
        println!("{number} {file} {} {}", range.start, range.end);
    }
    mutants.iter().filter(|mutant| !written.contains(&mutant.number)).for_each(|mutant| println!("{}", mutant.number));
    std::fs::write(&path, writer.out).unwrap();
}
