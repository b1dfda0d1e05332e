"""What becomes of a pulled order: checked, its articles found, written for the ERP Middleware.

It reads `sales_order` and `sales_order_line` where `status` is ``ready``; `version` rises with
each change of one.
"""
