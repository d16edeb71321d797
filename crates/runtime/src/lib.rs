//! Delivers shaped records: batching, lanes, pacing, the delivery protocol.
