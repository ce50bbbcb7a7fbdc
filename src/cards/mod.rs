//! Every sentence that people read: functions from state to `Card`.
