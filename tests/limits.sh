# limits.sh: sourced by what runs programs: no process may take more seconds of
# processor time than this; only one that hangs does, however busy the machine.
ulimit -t 600
