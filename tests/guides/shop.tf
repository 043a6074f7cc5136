# A shop with what an Application Load Balancer needs, as test_terraform.py applies it. The access key and the region come
# from the environment.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  type = string
}

# A /16 of loopback addresses whose subnets from the eleventh on are free.
variable "cidr" {
  type = string
}

# The directory of shop.crt, shop.key, api.crt and api.key.
variable "certificates" {
  type = string
}

# Another number replaces the instances by others of another type and at other addresses.
variable "generation" {
  type    = number
  default = 0
}

provider "aws" {
  endpoints {
    acm   = var.endpoint
    ec2   = var.endpoint
    elbv2 = var.endpoint
    sts   = var.endpoint
  }

  default_tags {
    tags = { Stack = "shop" }
  }
}

data "aws_availability_zones" "here" {
  state = "available"
}

resource "aws_vpc" "shop" {
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  tags                 = { Name = "shop" }
}

resource "aws_subnet" "public" {
  count                   = 2
  vpc_id                  = aws_vpc.shop.id
  cidr_block              = cidrsubnet(var.cidr, 8, count.index + 11)
  availability_zone       = data.aws_availability_zones.here.names[count.index]
  map_public_ip_on_launch = true
}

resource "aws_internet_gateway" "shop" {
  vpc_id = aws_vpc.shop.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.shop.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.shop.id
  }
}

resource "aws_route_table_association" "public" {
  count          = 2
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_ec2_managed_prefix_list" "callers" {
  name           = "callers"
  address_family = "IPv4"
  max_entries    = 2 + var.generation

  entry {
    cidr = "127.0.0.0/8"
  }
}

resource "aws_security_group" "front" {
  name_prefix = "front-"
  vpc_id      = aws_vpc.shop.id

  ingress {
    from_port       = 80
    to_port         = 80
    protocol        = "tcp"
    prefix_list_ids = [aws_ec2_managed_prefix_list.callers.id]
  }

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "back" {
  name   = "back"
  vpc_id = aws_vpc.shop.id
}

resource "aws_vpc_security_group_ingress_rule" "back" {
  security_group_id            = aws_security_group.back.id
  referenced_security_group_id = aws_security_group.front.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_egress_rule" "back" {
  security_group_id = aws_security_group.back.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# The provider asks for unlimited CPU credits of every t3.
resource "aws_instance" "web" {
  count                  = 2
  ami                    = "ami-0123456789abcdef0"
  instance_type          = var.generation == 0 ? "t3.micro" : "t3.small"
  subnet_id              = aws_subnet.public[count.index].id
  private_ip             = cidrhost(aws_subnet.public[count.index].cidr_block, 100 + var.generation)
  vpc_security_group_ids = [aws_security_group.back.id]
  tags                   = { Name = "web-${count.index}" }
}

resource "aws_lb_target_group" "web" {
  name                 = "web"
  port                 = 8080
  protocol             = "HTTP"
  vpc_id               = aws_vpc.shop.id
  deregistration_delay = 5

  health_check {
    path                = "/health"
    matcher             = "200-299"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group" "api" {
  name_prefix                   = "api-"
  port                          = 8080
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = aws_vpc.shop.id
  load_balancing_algorithm_type = "least_outstanding_requests"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "web" {
  count            = 2
  target_group_arn = aws_lb_target_group.web.arn
  target_id        = aws_instance.web[count.index].id

  # New targets come before the old ones go.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "api" {
  count            = 2
  target_group_arn = aws_lb_target_group.api.arn
  target_id        = aws_instance.web[count.index].private_ip

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb" "shop" {
  name                       = "shop"
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.front.id]
  idle_timeout               = 30
  drop_invalid_header_fields = true
  depends_on                 = [aws_internet_gateway.shop]
}

resource "aws_acm_certificate" "shop" {
  certificate_body = file("${var.certificates}/shop.crt")
  private_key      = file("${var.certificates}/shop.key")

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "api" {
  certificate_body = file("${var.certificates}/api.crt")
  private_key      = file("${var.certificates}/api.key")

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener_rule" "secure" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 1

  action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }

  condition {
    path_pattern {
      values = ["/cart/*"]
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate.shop.arn

  routing_http_response_strict_transport_security_header_value = "max-age=3600"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener_certificate" "api" {
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_acm_certificate.api.arn
}

resource "aws_lb_listener_rule" "api" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }

  condition {
    host_header {
      values = ["api.example.com"]
    }
  }
}

resource "aws_lb_listener_rule" "canary" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 20

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.web.arn
        weight = 90
      }

      target_group {
        arn    = aws_lb_target_group.api.arn
        weight = 10
      }

      stickiness {
        enabled  = true
        duration = 300
      }
    }
  }

  condition {
    http_header {
      http_header_name = "X-Canary"
      values           = ["1", "yes*"]
    }
  }

  condition {
    http_request_method {
      values = ["GET", "HEAD"]
    }
  }
}

resource "aws_lb_listener_rule" "gone" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 30

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "gone"
      status_code  = "410"
    }
  }

  condition {
    query_string {
      key   = "version"
      value = "0"
    }
  }
}

data "aws_lb" "shop" {
  arn = aws_lb.shop.arn
}

output "load_balancer" {
  value = data.aws_lb.shop.arn
}

output "group" {
  value = aws_lb_target_group.web.arn
}
