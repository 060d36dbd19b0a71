-- SERIES
SELECT network, target, signal, resolver_network, bins, shares, probes_each, checked_probes_each, measurements_each,
if(contested, by, []), if(contested, seen, []), if(contested, checked, []), if(contested, made, []) FROM ( SELECT
network, target, signal, resolver_network, groupArray(bin) AS bins, groupArray(saw / probes) AS shares,
groupArray(probes) AS probes_each, groupArray(checked_probes) AS checked_probes_each, groupArray(measurements) AS
measurements_each, sum(saw) BETWEEN 1 AND sum(probes) - 1 AND uniqExactArray(voters) BETWEEN 4 AND sum(probes) - 1 AS
contested, groupArrayArray(voters) AS by, groupArrayArray(seen_each) AS seen, groupArrayArray(checked_each) AS
checked, groupArrayArray(made_each) AS made FROM ( SELECT network, target, signal, resolver_network, bin, sum(seen) AS
saw, count() AS probes, sum(checked) AS checked_probes, sum(made) AS measurements, groupArray(sipHash64(from_probe))
AS voters, groupArray(seen) AS seen_each, groupArray(checked) AS checked_each, groupArray(made) AS made_each FROM (
SELECT network, target, signal, resolver_network, from_probe, intDiv(micros, {step:Int64} * 1000000) * {step:Int64} AS
bin, avg(vote) >= 0.5 AS seen, max(with_control) AS checked, count() AS made FROM ( SELECT target, network,
from_probe, micros, signal, vote, with_control, if(signal = 'blocked_dns', resolver, 0) AS resolver_network FROM (
SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe, any(access) AS line,
any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros, countIf(layer = 'dns' AND (state = 'blocked' OR
symptom)) > 0 AS dns_blocked, countIf(layer = 'dns' AND state = 'ok') > 0 AS dns_ok, countIf(layer = 'dns' AND
controlled) > 0 AS dns_checked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT (layer = 'transfer'
OR position(mechanism, '.throttle.') > 0)))) > 0 AS path_blocked, countIf(layer != 'dns' AND state = 'ok') > 0 AS
path_ok, countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer' OR position(mechanism,
'.throttle.') > 0)))) > 0 AS path_throttled, countIf(layer != 'dns' AND controlled) > 0 AS path_checked,
if(dns_blocked, countIf(layer = 'dns' AND (state = 'blocked' OR symptom) AND controlled) > 0, dns_checked) AS
dns_controlled, if(path_blocked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT (layer = 'transfer'
OR position(mechanism, '.throttle.') > 0))) AND controlled) > 0, path_checked) AS path_controlled, if(path_throttled,
countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer' OR position(mechanism,
'.throttle.') > 0))) AND controlled) > 0, path_checked) AS throttled_controlled, multiIf(dns_blocked, 1, dns_ok, 0,
-1) AS dns_vote, multiIf(path_blocked, 1, path_ok, 0, -1) AS path_vote, multiIf(path_throttled, 1, path_ok AND NOT
path_blocked, 0, -1) AS throttled_vote %(more)s FROM verdicts WHERE country %(places)s {country:String} AND country !=
'ZZ' AND asn != 0 AND defect = '' AND started_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND started_at <
fromUnixTimestamp64Micro({until:Int64}, 'UTC') %(which)s GROUP BY uid, target ) ARRAY JOIN ['blocked_dns',
'blocked_path', 'throttled'] AS signal, [dns_vote, path_vote, throttled_vote] AS vote, [dns_controlled,
path_controlled, throttled_controlled] AS with_control WHERE vote >= 0 ) GROUP BY network, target, signal,
resolver_network, bin, from_probe ) GROUP BY network, target, signal, resolver_network, bin ) GROUP BY network,
target, signal, resolver_network ) ORDER BY network, target, signal, resolver_network

-- WITNESSES
SELECT uid, micros / 1000000, network, resolver, target, from_probe, line, via, dns_vote, path_vote, throttled_vote,
dns_controlled, path_controlled, throttled_controlled, dns_mechanism, path_mechanism, throttled_mechanism, dns_cut, path_cut, throttled_cut, roles_ok,
rate FROM (
SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe, any(access) AS line,
any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros, countIf(layer = 'dns' AND (state = 'blocked' OR
symptom)) > 0 AS dns_blocked, countIf(layer = 'dns' AND state = 'ok') > 0 AS dns_ok, countIf(layer = 'dns' AND
controlled) > 0 AS dns_checked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT (layer = 'transfer'
OR position(mechanism, '.throttle.') > 0)))) > 0 AS path_blocked, countIf(layer != 'dns' AND state = 'ok') > 0 AS
path_ok, countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer' OR position(mechanism,
'.throttle.') > 0)))) > 0 AS path_throttled, countIf(layer != 'dns' AND controlled) > 0 AS path_checked,
if(dns_blocked, countIf(layer = 'dns' AND (state = 'blocked' OR symptom) AND controlled) > 0, dns_checked) AS
dns_controlled, if(path_blocked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT (layer = 'transfer'
OR position(mechanism, '.throttle.') > 0))) AND controlled) > 0, path_checked) AS path_controlled, if(path_throttled,
countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer' OR position(mechanism,
'.throttle.') > 0))) AND controlled) > 0, path_checked) AS throttled_controlled, multiIf(dns_blocked, 1, dns_ok, 0,
-1) AS dns_vote, multiIf(path_blocked, 1, path_ok, 0, -1) AS path_vote, multiIf(path_throttled, 1, path_ok AND NOT
path_blocked, 0, -1) AS throttled_vote %(more)s FROM verdicts WHERE country %(places)s {country:String} AND country !=
'ZZ' AND asn != 0 AND defect = '' AND started_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND started_at <
fromUnixTimestamp64Micro({until:Int64}, 'UTC') %(which)s GROUP BY uid, target ) WHERE dns_vote >= 0 OR path_vote >= 0
OR throttled_vote >= 0 ORDER BY micros, uid, target

-- DETAILS
, argMinIf(mechanism, (state != 'blocked', mechanism = '', number), layer = 'dns' AND (state = 'blocked' OR symptom))
AS dns_mechanism, argMinIf(mechanism, (state != 'blocked', mechanism = '', number), layer != 'dns' AND (state =
'blocked' OR (symptom AND NOT (layer = 'transfer' OR position(mechanism, '.throttle.') > 0)))) AS path_mechanism,
argMinIf(mechanism, (mechanism = '', number), layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer =
'transfer' OR position(mechanism, '.throttle.') > 0)))) AS throttled_mechanism,
arrayStringConcat(arraySort(groupUniqArrayIf(role, layer = 'dns' AND (state = 'blocked' OR symptom))), ' ') AS
dns_cut, arrayStringConcat(arraySort(groupUniqArrayIf(role, layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT
(layer = 'transfer' OR position(mechanism, '.throttle.') > 0))))), ' ') AS path_cut,
arrayStringConcat(arraySort(groupUniqArrayIf(role, layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer =
'transfer' OR position(mechanism, '.throttle.') > 0))))), ' ') AS throttled_cut,
arrayStringConcat(arraySort(groupUniqArrayIf(role, state = 'ok')), ' ') AS roles_ok, avgIf(kbps, layer != 'dns' AND
(state = 'throttled' OR (symptom AND (layer = 'transfer' OR position(mechanism, '.throttle.') > 0))) AND NOT
isNaN(kbps)) AS rate

-- WORKING
SELECT uid, micros / 1000000, network, 0, target, 'blocked_path', from_probe, 0, dns_checked OR path_checked, '', nan,
line, via FROM ( SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe,
any(access) AS line, any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros, countIf(layer = 'dns' AND
(state = 'blocked' OR symptom)) > 0 AS dns_blocked, countIf(layer = 'dns' AND state = 'ok') > 0 AS dns_ok,
countIf(layer = 'dns' AND controlled) > 0 AS dns_checked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom
AND NOT (layer = 'transfer' OR position(mechanism, '.throttle.') > 0)))) > 0 AS path_blocked, countIf(layer != 'dns'
AND state = 'ok') > 0 AS path_ok, countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer'
OR position(mechanism, '.throttle.') > 0)))) > 0 AS path_throttled, countIf(layer != 'dns' AND controlled) > 0 AS
path_checked, if(dns_blocked, countIf(layer = 'dns' AND (state = 'blocked' OR symptom) AND controlled) > 0,
dns_checked) AS dns_controlled, if(path_blocked, countIf(layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT
(layer = 'transfer' OR position(mechanism, '.throttle.') > 0))) AND controlled) > 0, path_checked) AS path_controlled,
if(path_throttled, countIf(layer != 'dns' AND (state = 'throttled' OR (symptom AND (layer = 'transfer' OR
position(mechanism, '.throttle.') > 0))) AND controlled) > 0, path_checked) AS throttled_controlled,
multiIf(dns_blocked, 1, dns_ok, 0, -1) AS dns_vote, multiIf(path_blocked, 1, path_ok, 0, -1) AS path_vote,
multiIf(path_throttled, 1, path_ok AND NOT path_blocked, 0, -1) AS throttled_vote %(more)s FROM verdicts WHERE country
%(places)s {country:String} AND country != 'ZZ' AND asn != 0 AND defect = '' AND started_at >=
fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND started_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
%(which)s GROUP BY uid, target ) WHERE (dns_ok OR path_ok) AND NOT (dns_blocked OR path_blocked OR path_throttled)
ORDER BY micros, uid, target
