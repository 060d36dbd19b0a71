BEGIN TRANSACTION;
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
INSERT INTO "incidents" VALUES('PK-2023-0001','PK',2023,1,1.79560234964523577e+09);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('turn','');
INSERT INTO "meta" VALUES('format','1');
CREATE TABLE outbox (
	seq INTEGER NOT NULL, 
	incident VARCHAR NOT NULL, 
	n INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	routed BOOLEAN NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (incident, n)
);
INSERT INTO "outbox" VALUES(1,'PK-2023-0001',1,1.79560234964523577e+09,0);
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
INSERT INTO "revisions" VALUES('PK-2023-0001',1,1.79560234964523577e+09,'the first claim','confirmed',1702814400.0,NULL,'{"country":"PK","kind":"blocking","status":"confirmed","scope":"multi_isp","access":"any","entities":["AS17557","AS45669"],"parts":[{"target":"x","kind":"blocking","mechanisms":["tls.reset.sni"],"entities":["AS17557"]}],"networks":[{"entity":"AS17557","targets":["x"],"intervals":[{"start":1702814400.0,"end":null}],"measurements":12,"probes":3,"probability":0.999}],"onset":1702814400.0,"onset_earliest":null,"onset_latest":1702815000.0,"end":null,"intervals":[{"start":1702814400.0,"end":null}],"confirmed_at":1702816200.0,"confidence":0.998,"users":{"mean":0.8,"low":0.7,"high":0.9,"observed":0.94},"kbps":null,"level":{"mean":0.2,"low":0.1,"high":0.3},"evidence":{"measurements":412,"probes":23,"networks":7,"controls":398,"families":["edge","ooni"]},"rule":"C2","reason":"23 probes on 7 networks","rules_version":"1","detector_version":"1","id":"PK-2023-0001","opinions":[],"hints":[]}');
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
