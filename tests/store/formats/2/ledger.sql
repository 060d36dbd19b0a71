BEGIN TRANSACTION;
CREATE TABLE ailments (
	kind VARCHAR NOT NULL, 
	about VARCHAR NOT NULL, 
	began_at FLOAT NOT NULL, 
	seen_at FLOAT NOT NULL, 
	ended_at FLOAT, 
	says VARCHAR NOT NULL, 
	mend VARCHAR NOT NULL, 
	PRIMARY KEY (kind, about, began_at)
);
CREATE TABLE approvals (
	incident VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	revision INTEGER NOT NULL, 
	who VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (incident, at)
);
CREATE TABLE claims (
	id VARCHAR NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	number INTEGER NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	digest VARCHAR NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (country, number)
);
CREATE TABLE deliveries (
	"key" VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	incident VARCHAR NOT NULL, 
	n INTEGER NOT NULL, 
	happening VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	due_at FLOAT NOT NULL, 
	attempts INTEGER NOT NULL, 
	sent_at FLOAT, 
	why VARCHAR NOT NULL, 
	PRIMARY KEY ("key"), 
	UNIQUE (channel, incident, n)
);
CREATE TABLE incidents (
	id VARCHAR NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	year INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (country, year, number)
);
INSERT INTO "incidents" VALUES('PK-2023-0001','PK',2023,1,1702829000.0);
INSERT INTO "incidents" VALUES('PK-2023-0002','PK',2023,2,1702829000.0);
INSERT INTO "incidents" VALUES('PK-2023-0003','PK',2023,3,1702829000.0);
INSERT INTO "incidents" VALUES('PK-2023-0004','PK',2023,4,1702829000.0);
INSERT INTO "incidents" VALUES('PK-2023-0005','PK',2023,5,1702829000.0);
INSERT INTO "incidents" VALUES('PK-2023-0006','PK',2023,6,1702829000.0);
CREATE TABLE leases (
	country VARCHAR(2) NOT NULL, 
	fence INTEGER NOT NULL, 
	worker VARCHAR NOT NULL, 
	expires_at FLOAT NOT NULL, 
	later_since FLOAT, 
	later_until FLOAT, 
	PRIMARY KEY (country)
);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('turn','');
INSERT INTO "meta" VALUES('format','2');
CREATE TABLE outbox (
	seq INTEGER NOT NULL, 
	incident VARCHAR NOT NULL, 
	n INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	routed BOOLEAN NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (incident, n)
);
INSERT INTO "outbox" VALUES(1,'PK-2023-0001',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(2,'PK-2023-0001',2,1702829001.0,0);
INSERT INTO "outbox" VALUES(3,'PK-2023-0002',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(4,'PK-2023-0003',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(5,'PK-2023-0003',2,1702829001.0,0);
INSERT INTO "outbox" VALUES(6,'PK-2023-0004',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(7,'PK-2023-0004',2,1702829001.0,0);
INSERT INTO "outbox" VALUES(8,'PK-2023-0005',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(9,'PK-2023-0006',1,1702829000.0,0);
INSERT INTO "outbox" VALUES(10,'PK-2023-0006',2,1702829001.0,0);
CREATE TABLE revisions (
	incident VARCHAR NOT NULL, 
	n INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	reason VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	onset FLOAT NOT NULL, 
	ends FLOAT, 
	document TEXT NOT NULL, 
	PRIMARY KEY (incident, n), 
	FOREIGN KEY(incident) REFERENCES incidents (id)
);
INSERT INTO "revisions" VALUES('PK-2023-0001',1,1702829000.0,'a staged one','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS59257"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS59257","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0001","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0001',2,1702829001.0,'again','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS59257"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS59257","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.5,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0001","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0002',1,1702829000.0,'a true one','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS56167"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS56167","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0002","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0003',1,1702829000.0,'seen','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS64501"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64501","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0003","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0003',2,1702829001.0,'taken back by Ayesha: the platform: itself','retracted',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"retracted","scope":"multi_isp","access":"any","entities":["AS64501"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64501","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"taken back by Ayesha: the platform: itself","rules_version":"1","detector_version":"1","id":"PK-2023-0003","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0004',1,1702829000.0,'seen','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS64502"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64502","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0004","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0004',2,1702829001.0,'3 late measurements from AS64502; it is told as a part of PK-2023-0001','retracted',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"retracted","scope":"multi_isp","access":"any","entities":["AS64502"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64502","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"3 late measurements from AS64502; it is told as a part of PK-2023-0001","rules_version":"1","detector_version":"1","id":"PK-2023-0004","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0005',1,1702829000.0,'held','suspected',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"suspected","scope":"nation","access":"any","entities":["AS64503"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64503","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":null,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"","reason":"suspected: held for a person''s review, as every national claim is here; it would be confirmed: 23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0005","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0006',1,1702829000.0,'seen','confirmed',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS64504"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64504","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0006","opinions":[],"hints":[]}');
INSERT INTO "revisions" VALUES('PK-2023-0006',2,1702829001.0,'the measurements do not bear it out any more','retracted',1702655200.0,1702914400.0,'{"country":"PK","kind":"blocking","status":"retracted","scope":"multi_isp","access":"any","entities":["AS64504"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS64504","targets":["x"],"intervals":[{"start":1702655200.0,"end":1702914400.0}],"measurements":3,"probes":2,"probability":0.99}],"onset":1702655200.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":1702914400.0,"intervals":[{"start":1702655200.0,"end":1702914400.0}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"the measurements do not bear it out any more","rules_version":"1","detector_version":"1","id":"PK-2023-0006","opinions":[],"hints":[]}');
CREATE TABLE settings (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE undetected (
	country VARCHAR(2) NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (country)
);
CREATE TABLE watches (
	id VARCHAR NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	number INTEGER NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	digest VARCHAR NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (country, number)
);
COMMIT;
