"""Operations: the durable record of each change, and the audit trail."""
