//! Who sees which channel, as plainly as it can be said: no bits, no folds, nothing of the product's code.

use super::{Step, Target};

pub(crate) const PEOPLE: usize = 3;
pub(crate) const CHANNELS: usize = 3;
/// `guest`, `member`, two of the community's own, `moderator`: lowest first, unless the two were swapped.
pub(crate) const ROLES: usize = 5;

#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    /// Whether each role may view channels.
    view: [bool; ROLES],
    swapped: bool,
    /// The roles of each who is a member.
    pub(crate) members: [Option<[bool; ROLES]>; PEOPLE],
    pub(crate) banned: [bool; PEOPLE],
    private: [bool; CHANNELS],
    overwrites: [Vec<(Target, bool)>; CHANNELS],
}

/// A member without any other role.
const PLAIN: [bool; ROLES] = [false, true, false, false, false];

impl Oracle {
    pub(crate) fn new() -> Self {
        Self {
            view: [true; ROLES],
            swapped: false,
            members: [Some(PLAIN); PEOPLE],
            banned: [false; PEOPLE],
            private: [false; CHANNELS],
            overwrites: [const { Vec::new() }; CHANNELS],
        }
    }

    pub(crate) fn sees(&self, who: usize, channel: usize) -> bool {
        let Some(held) = self.members[who] else { return false };
        let mut sees = (0..ROLES).any(|role| held[role] && self.view[role]);
        if self.private[channel] {
            sees = false;
        }
        let order = if self.swapped { [0, 1, 3, 2, 4] } else { [0, 1, 2, 3, 4] };
        for role in order.into_iter().filter(|role| held[*role]) {
            sees = self.said(channel, Target::Role(role)).unwrap_or(sees);
        }
        self.said(channel, Target::Account(who)).unwrap_or(sees)
    }

    fn said(&self, channel: usize, target: Target) -> Option<bool> {
        self.overwrites[channel].iter().find(|(for_whom, _)| *for_whom == target).map(|(_, view)| *view)
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match *step {
            Step::Grant { role, view } => self.view[role] = view,
            Step::Assign { who, roles } => {
                if self.members[who].is_some() {
                    self.members[who] = Some(Self::roles(roles));
                }
            }
            Step::Overwrite { target: Target::Account(who), .. } if self.members[who].is_none() => {}
            Step::Overwrite { channel, target, view } => {
                self.overwrites[channel].retain(|(for_whom, _)| *for_whom != target);
                self.overwrites[channel].extend(view.map(|view| (target, view)));
            }
            Step::Private { channel, private } => self.private[channel] = private,
            Step::Kick { who } => self.members[who] = None,
            Step::Ban { who } => (self.members[who], self.banned[who]) = (None, true),
            Step::Join { who } => {
                self.banned[who] = false;
                self.members[who] = self.members[who].or(Some(PLAIN));
            }
            Step::Reorder { swapped } => self.swapped = swapped,
        }
    }

    pub(crate) fn roles(bits: usize) -> [bool; ROLES] {
        let chosen = std::array::from_fn(|role| bits >> role & 1 == 1);
        if bits == 0 { PLAIN } else { chosen }
    }
}
