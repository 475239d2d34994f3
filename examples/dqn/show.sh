# show.sh: the moves of `nncc run dqn.nn policy` as arrows.
sed 's/.*"policy_0": \[\[//; s/\]\].*//; s/\], \[/\n/g' | tr -d ',' | tr 0123 '^v<>'
