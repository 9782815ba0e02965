"""The mining pack: a real regtest stack of bitcoind, Stratum pool and miner. `pack.py` is its table of contents."""
