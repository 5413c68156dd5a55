//! The workspace as a whole: which of our crates may know which, under which licences others' come, and that each
//! dependency says what it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What each crate of ours may depend on, ours again. For tests also what the second list names.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &[]),
    ("migrations", &[], &["local-postgres"]),
    ("local-postgres", &[], &[]),
    ("event-store", &["migrations"], &["local-postgres"]),
    ("vault", &["migrations"], &["local-postgres"]),
    ("account-data", &["domain", "migrations"], &["local-postgres"]),
    ("commands", &["domain", "event-store", "vault"], &["local-postgres"]),
    ("projections", &["domain", "event-store", "vault", "migrations"], &["local-postgres"]),
    ("client", &[], &[]),
    (
        "api",
        &[
            "domain",
            "event-store",
            "vault",
            "account-data",
            "commands",
            "projections",
            "local-postgres",
            "client",
        ],
        &["client"],
    ),
    ("openapi", &["api"], &[]),
    ("load-tests", &["api", "client", "local-postgres"], &["local-postgres"]),
];

/// Licences that ask for no more than a notice, and why the less known ones do.
const PERMISSIVE: &[(&str, &str)] = &[
    ("MIT", ""),
    ("MIT-0", "MIT without the notice"),
    ("Apache-2.0", ""),
    ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 with one condition less"),
    ("BSD-2-Clause", ""),
    ("BSD-3-Clause", ""),
    ("ISC", ""),
    ("Zlib", ""),
    ("0BSD", ""),
    ("CC0-1.0", "a dedication to the public"),
    ("Unlicense", "a dedication to the public"),
    ("BSL-1.0", "the Boost licence: no notice in binaries"),
    ("Unicode-3.0", "tables of the Unicode consortium, under MIT-like terms"),
    ("CDLA-Permissive-2.0", "lists of root certificates: data, with a notice"),
    ("OpenSSL", "attribution only; what aws-lc has from OpenSSL"),
    ("MPL-2.0", "copyleft per file: obliges who changes those files, not who links them"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn platform() -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let told = Command::new(cargo).arg("-vV").output().expect("cargo tells its version");
    let told = String::from_utf8(told.stdout).expect("it is text");
    told.lines().find_map(|line| line.strip_prefix("host: ")).expect("it names its platform").to_owned()
}

fn metadata() -> Metadata {
    // Offline, locked and for this platform: what is looked at is what is built. Crates for others are not even fetched.
    let options = ["--locked", "--offline", "--filter-platform", &platform()].map(str::to_owned);
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options)
        .exec()
        .expect("cargo metadata")
}

#[test]
fn our_crates_know_only_those_they_may() {
    let metadata = metadata();
    let ours: BTreeSet<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let listed: BTreeSet<&str> = ALLOWED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(ours, listed, "each crate of the workspace has a line in ALLOWED");
    for package in metadata.workspace_packages() {
        let (_, always, in_tests) =
            ALLOWED.iter().find(|(name, ..)| *name == package.name.as_str()).expect("listed");
        for dependency in package.dependencies.iter().filter(|d| ours.contains(d.name.as_str())) {
            let name = dependency.name.as_str();
            let in_test = dependency.kind == DependencyKind::Development && in_tests.contains(&name);
            assert!(always.contains(&name) || in_test, "{} must not depend on {name}", package.name);
        }
    }
}

/// Whether an SPDX expression can be met with what is permissive. Read strictly: AND splits first and parentheses are
/// dropped, so that a mixed expression is refused rather than misread.
fn permissive(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let known = |licence: &str| PERMISSIVE.iter().any(|(known, _)| *known == licence.trim());
    expression.split(" AND ").all(|alternatives| alternatives.split(" OR ").any(known))
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let metadata = metadata();
    let mut wrong = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        let licence = package.license.as_deref().unwrap_or("none");
        if !permissive(licence) {
            wrong.insert(format!("{} {}", package.name, package.version), licence.to_owned());
        }
    }
    assert!(wrong.is_empty(), "not permissive, or not known to be: {wrong:#?}");
}

#[test]
fn licence_expressions_are_read_strictly() {
    for fine in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(permissive(fine), "{fine}");
    }
    for wrong in
        ["GPL-3.0", "MIT AND GPL-3.0", "none", "AGPL-3.0 OR SSPL-1.0", "(MIT OR Apache-2.0) AND LGPL-3.0"]
    {
        assert!(!permissive(wrong), "{wrong}");
    }
}

#[test]
fn each_dependency_says_what_it_is_for() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its end");
    let silent: Vec<&str> = section
        .lines()
        .filter(|line| {
            line.contains(" = ") && !line.contains("path = ") && !line.trim_start().starts_with('#')
        })
        .filter(|line| line.rsplit_once("# ").is_none_or(|(_, purpose)| purpose.trim().len() < 4))
        .collect();
    assert!(silent.is_empty(), "no purpose: {silent:#?}");
}
