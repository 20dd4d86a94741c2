# A small training that goes on from its checkpoint.
function chance() { state = (state * 16807) % 2147483647; return state / 2147483647 }
BEGIN {
    report = ENVIRON["CBABLATE_REPORT"]
    kept = ENVIRON["CBABLATE_CHECKPOINT"] "/state"
    epoch = 0; loss = 4; state = seed + 1
    if ((getline line < kept) > 0) {
        split(line, word, " "); epoch = word[1]; loss = word[2]; state = word[3]
    }
    close(kept)
    while (epoch < epochs) {
        epoch++
        loss = loss * (1 - lr) + 0.1 * chance()
        printf "%d %.17g %d\n", epoch, loss, state > kept; close(kept)
        printf "{\"epoch\": %d, \"val/loss\": %.17g}\n", epoch, loss >> report; close(report)
        if ("CBABLATE_CHECKPOINT_EVERY" in ENVIRON) system("sleep 0.4")
    }
}
