"""A run on many machines: its parts are tasks of Ray, which schedules them, and are merged as ever."""
