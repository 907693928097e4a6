"""What moves: sockets, time, order, judgement, pages and command lines. `storage` is what is at rest."""
