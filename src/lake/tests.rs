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
async fn the_log_of_a_new_lake_is_kept_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(folder.path()).await.unwrap();
    for table in Table::ALL {
        let delta = lake.load(table).await.unwrap();
        let config = delta.snapshot().unwrap().table_config();
        assert_eq!(config.enable_expired_log_cleanup, Some(false));
    }
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

#[tokio::test]
async fn a_lake_that_was_half_made_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    fs::create_dir_all(root.join("events/_delta_log")).unwrap();
    assert!(matches!(
        Lake::open(&root),
        Err(crate::Error::Lake(LakeError::NotALake { .. }))
    ));
    let lake = Lake::open_or_create(&root).await.unwrap();
    assert!(lake.snapshot(Table::Events).await.is_ok());
    fs::remove_dir_all(root.join("rejects")).unwrap();
    assert!(!is_lake(&root));
}

#[tokio::test]
async fn a_folder_of_logs_with_the_name_of_a_table_is_no_lake() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("events")).unwrap();
    fs::write(folder.path().join("events/a.json"), "{}").unwrap();
    assert!(Lake::open_or_create(folder.path()).await.is_err());
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

#[tokio::test]
async fn a_lake_of_a_newer_version_is_read_and_not_written() {
    use deltalake::kernel::{DataType, StructField};
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(folder.path()).await.unwrap();
    let added = lake.load(Table::Sources).await.unwrap().add_columns();
    let later = StructField::nullable("later", DataType::STRING);
    added.with_fields([later]).await.unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    assert!(lake.snapshot(Table::Sources).await.is_ok());
    let difference = lake.schema_difference(Table::Sources).await.unwrap();
    assert_eq!(difference.unknown, ["later"]);
    let refused = Lake::open_or_create(folder.path()).await.unwrap_err();
    assert!(refused.to_string().contains("`later`"), "{refused}");
    assert!(refused.hint().unwrap().contains("newer spoor"));
    assert!(lake.writer(Table::Sources).await.is_err());
    assert!(lake.writer(Table::Events).await.is_ok());
}
