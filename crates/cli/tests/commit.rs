//! Does the program know which commit it was built of?

#[path = "../build/commit.rs"]
mod commit;

use std::fs;
use std::path::Path;

use commit::Commit;

const ONE: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder can be made");
    fs::write(file, text).expect("a file can be written");
}

#[test]
fn a_branch_a_packed_branch_and_a_commit_alone_are_told() {
    let top = tempfile::tempdir().expect("a folder");
    let git = top.path().join(".git");
    assert_eq!(Commit::of(top.path()), Commit::default(), "no checkout");

    write(&git.join("HEAD"), "ref: refs/heads/main\n");
    assert_eq!(Commit::of(top.path()).hash, None, "no commit yet");
    let packed =
        format!("# pack-refs with: peeled\n{OTHER} refs/heads/maine\n{ONE} refs/heads/main\n");
    write(&git.join("packed-refs"), &packed);
    assert_eq!(Commit::of(top.path()).hash.as_deref(), Some(ONE));
    write(&git.join("refs/heads/main"), &format!("{OTHER}\n"));
    let commit = Commit::of(top.path());
    assert_eq!(commit.hash.as_deref(), Some(OTHER));
    let told_by = ["HEAD", "refs/heads/main", "packed-refs"].map(|file| git.join(file));
    assert_eq!(commit.told_by, told_by);

    write(&git.join("HEAD"), &format!("{ONE}\n"));
    assert_eq!(Commit::of(top.path()).hash.as_deref(), Some(ONE));
    write(&git.join("HEAD"), "nonsense\n");
    assert_eq!(Commit::of(top.path()).hash, None);
}

#[test]
fn a_worktree_has_its_branch_with_the_others() {
    let top = tempfile::tempdir().expect("a folder");
    let (git, tree) = (top.path().join("main/.git"), top.path().join("tree"));
    write(&tree.join(".git"), "gitdir: ../main/.git/worktrees/tree\n");
    write(&git.join("worktrees/tree/HEAD"), "ref: refs/heads/side\n");
    write(&git.join("worktrees/tree/commondir"), "../..\n");
    write(&git.join("refs/heads/side"), ONE);
    assert_eq!(Commit::of(&tree).hash.as_deref(), Some(ONE));
}
