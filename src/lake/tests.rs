use super::*;

#[tokio::test]
async fn a_new_lake_has_three_empty_tables_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let lake = Lake::open_or_create(&root).await.unwrap();
    for table in Table::ALL {
        let snapshot = lake.snapshot(table).await.unwrap();
        assert_eq!((snapshot.files.len(), snapshot.version), (0, 0));
    }
    assert!(Lake::open(&root).is_ok());
}

#[tokio::test]
async fn what_is_no_lake_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.txt");
    fs::write(&file, "evidence").unwrap();
    for path in [file.as_path(), folder.path()] {
        let refused = Lake::open_or_create(path).await;
        assert!(matches!(
            refused,
            Err(crate::Error::Lake(LakeError::NotALake { .. }))
        ));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_second_writer_waits() {
    let folder = tempfile::tempdir().unwrap();
    let held = LakeLock::acquire(folder.path()).unwrap();
    assert!(LakeLock::try_acquire(folder.path()).unwrap().is_none());
    drop(held);
    assert!(LakeLock::try_acquire(folder.path()).unwrap().is_some());
}
