CREATE TABLE `tenant_contacts` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`mail` text NOT NULL,
	`phone` text NOT NULL,
	`note` text NOT NULL,
	`is_main` integer NOT NULL,
	`created_ms` integer NOT NULL,
	`confirmed_ms` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `tenant_contacts_by_tenant` ON `tenant_contacts` (`tenant_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `tenant_contacts_one_main` ON `tenant_contacts` (`tenant_id`) WHERE is_main = 1;--> statement-breakpoint
CREATE TABLE `tenant_usage` (
	`tenant_id` text NOT NULL,
	`day` text NOT NULL,
	`used_bytes_max` integer NOT NULL,
	`used_bytes` integer NOT NULL,
	`quota_bytes` integer NOT NULL,
	`devices` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `day`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
ALTER TABLE `tenants` ADD `management_code` text;--> statement-breakpoint
ALTER TABLE `tenants` ADD `later_modules` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `later_ms` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `warned_percent` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `warned_ms` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `deletion_asked_ms` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `deletion_due_ms` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `is_described` integer DEFAULT true NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `tenants_management_code_unique` ON `tenants` (`management_code`);
