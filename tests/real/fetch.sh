#!/usr/bin/env bash
# Fetches and unpacks a Debian source package:  fetch.sh PACKAGE INTO
# The archive is the one that apt takes its packages from; apt's own lists and settings are left alone. Prints the folder of the unpacked source.
set -euo pipefail
package=$1 into=$2
mkdir -p "$into"
cd "$into"
state=$into/apt
if [ ! -e "$state/done" ]; then
    rm -rf "$state"; mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    codename=$(. /etc/os-release; echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(SITE) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Label: Debian' |
        awk -v c="$codename" '$3 == c && $4 == "main" { print "deb-src", $2, $3, $4 }' | sort -u | head -n 1 > "$state/sources.list"
    [ -s "$state/sources.list" ] || { echo "fetch.sh: apt knows no Debian archive" >&2; exit 1; }
fi
apt=(apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$state/lists"
    -o Dir::Cache="$state/cache" -o APT::Sandbox::User=)
[ -e "$state/done" ] || { "${apt[@]}" update >&2; touch "$state/done"; }
find . -maxdepth 1 -type d -name "$package-[0-9]*" | grep -q . || "${apt[@]}" source "$package" >&2
echo "$into/$(find . -maxdepth 1 -type d -name "$package-[0-9]*" | head -n 1 | cut -c3-)"
