//! Sockets, names, TLS and the threads behind them. Nothing here knows WebSocket.
