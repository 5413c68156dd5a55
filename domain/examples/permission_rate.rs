//! How many permission checks a second one core makes: `cargo run --release -p domain --example permission_rate`.
//!
//! A community of 20 roles, in a channel with 10 overwrites; members hold from one role to six of them. Fails below a
//! million a second, which is what is asked for.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use domain::permission::{Overwrite, Overwrites, Place, Target, Who, resolve};
use domain::role::{Definition, Roles};
use domain::{AccountId, Permissions, Role};
use uuid::Uuid;

const ROLES: usize = 20;
const OVERWRITES: usize = 10;
const MEMBERS: usize = 1_000;
const WANTED: f64 = 1_000_000.0;
const LENGTH: Duration = Duration::from_secs(3);

fn custom(number: usize) -> Role {
    Role::Custom(id(number))
}

fn id(number: usize) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

fn roles() -> Roles {
    let mut roles = Roles::default();
    for number in 0..ROLES - Role::BUILT_IN.len() {
        let permissions = Permissions::from_bits_truncate(0x9e37_79b9_u64 >> (number % 13));
        roles.set(custom(number), Definition { name: None, colour: None, permissions, mentionable: false });
    }
    roles
}

/// Half of them for roles, half for members.
fn overwrites() -> Overwrites {
    let target = |number| {
        if number % 2 == 0 {
            Target::Role(custom(number))
        } else {
            Target::Account(AccountId(id(1_000_000 + number * MEMBERS / OVERWRITES)))
        }
    };
    let overwrite = |number| {
        let allow = Permissions::from_bits_truncate(1_u64 << (number % 20));
        Overwrite {
            allow,
            deny: Permissions::from_bits_truncate(0b1010_1010_u64 << number).difference(allow),
        }
    };
    (0..OVERWRITES).map(|number| (target(number), overwrite(number))).collect()
}

fn members() -> Vec<(AccountId, BTreeSet<Role>)> {
    let holds = |number: usize| {
        let own = (0..number % 6).map(|nth| custom((number * 7 + nth * 3) % (ROLES - Role::BUILT_IN.len())));
        own.chain([Role::Member]).collect()
    };
    (0..MEMBERS).map(|number| (AccountId(id(1_000_000 + number)), holds(number))).collect()
}

fn main() -> ExitCode {
    let (roles, overwrites, members) = (roles(), overwrites(), members());
    assert_eq!((roles.order().len(), overwrites.len()), (ROLES, OVERWRITES));
    let place = Place { private: false, archived: false, overwrites: &overwrites };
    let (mut checks, mut allowed) = (0_u64, 0_u64);
    let begun = Instant::now();
    while begun.elapsed() < LENGTH {
        for (account, held) in &members {
            let who = Who { account: *account, owner: false, roles: held, timed_out: false };
            let permissions = resolve(black_box(who), &roles, Some(black_box(place)));
            allowed += u64::from(permissions.contains(Permissions::POST));
            checks += 1;
        }
    }
    let rate = checks as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} checks a second on one core ({allowed} of {checks} may post)");
    if rate < WANTED { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
