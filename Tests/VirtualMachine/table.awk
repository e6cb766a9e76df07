# The results of a kernel in seconds, one row a check: what NodeChecks prints as "result|WHAT|COLUMN|SECONDS REMARK".
/^kernel [0-9]/ { kernel = substr($0, 8) }
$1 == "result" {
    if (!($2 in seen)) rows[++count] = $2
    seen[$2]
    cell[$2, $3] = $4
}
END {
    format = "%-38s  %-12s  %-12s  %-12s  %-12s\n"
    printf format, "Linux " kernel (name ~ /[+]/ ? substr(name, index(name, "+")) : ""), "root", "non-root", "userns", "frozen"
    for (i = 1; i <= count; i++) {
        what = rows[i]
        printf format, what, ((what, "node") in cell) ? cell[what, "node"] : cell[what, "root"], cell[what, "user"], cell[what, "userns"], cell[what, "frozen"]
    }
    print ""
}
